// SPDX-License-Identifier: MIT
// A transfer of money that happens whole or not at all: gjs -m transactions.js DIRECTORY
import Ldb from 'gi://Ldb?version=1';

class InsufficientFunds extends Error {}

function transfer(db, amount) {
    // Called again, with a fresh transaction, when somebody else was in the way.
    db.run(transaction => {
        const alice = Number(transaction.get_string(null, 'alice'));
        const bob = Number(transaction.get_string(null, 'bob'));
        if (alice < amount)
            throw new InsufficientFunds(`alice has ${alice}, not ${amount}`); // rolls back
        transaction.put(null, 'alice', `${alice - amount}`);
        transaction.put(null, 'bob', `${bob + amount}`);
    });
}

function printBalances(db, before = '') {
    print(`${before}alice ${db.get_string('alice')}, bob ${db.get_string('bob')}`);
}

const db = Ldb.open(`${ARGV[0]}/bank.db`, {create: true});
db.put('alice', '100');
db.put('bob', '50');
transfer(db, 30);
printBalances(db);
try {
    transfer(db, 500);
} catch (error) {
    if (!(error instanceof InsufficientFunds))
        throw error;
    print('refused:', error.message);
}
printBalances(db);

// By hand: of two that change the same, the second commit fails.
const one = db.begin();
const two = db.begin();
one.put(null, 'alice', '60');
two.put(null, 'alice', '0');
one.commit(Ldb.SyncMode.FULL);
try {
    two.commit();
} catch (error) {
    print('conflict:', error.matches(Ldb.Error, Ldb.Error.CONFLICT) ? 'yes' : '?');
}

// Back to a savepoint, and on from there.
const three = db.begin();
three.put(null, 'bob', '90');
const savepoint = three.savepoint();
three.put(null, 'alice', '0');
three.rollback_to(savepoint);
three.commit();
printBalances(db, 'after going back: ');
db.close();
