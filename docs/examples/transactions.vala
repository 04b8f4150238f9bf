// SPDX-License-Identifier: MIT
// A transfer of money that happens whole or not at all: transactions DIRECTORY

errordomain BankError {
	INSUFFICIENT_FUNDS
}

int balance (Ldb.Transaction transaction, string account) throws Error {
	return int.parse (transaction.get_string (null, account));
}

void transfer (Ldb.Database db, int amount) throws Error {
	// Called again, with a fresh transaction, when somebody else was in the way.
	db.run_transaction (Ldb.TransactionFlags.NONE, (transaction) => {
		var alice = balance (transaction, "alice");
		var bob = balance (transaction, "bob");
		if (alice < amount) // rolls back
			throw new BankError.INSUFFICIENT_FUNDS ("alice has %d, not %d", alice, amount);
		transaction.put_string (null, "alice", (alice - amount).to_string ());
		return transaction.put_string (null, "bob", (bob + amount).to_string ());
	});
}

void print_balances (Ldb.Database db, string before = "") throws Error {
	print ("%salice %s, bob %s\n", before, db.get_string ("alice"), db.get_string ("bob"));
}

void use (string path) throws Error {
	var db = Ldb.Database.open (path, Ldb.OpenFlags.CREATE, null);
	db.put_string ("alice", "100");
	db.put_string ("bob", "50");
	transfer (db, 30);
	print_balances (db);
	try {
		transfer (db, 500);
	} catch (BankError error) {
		print ("refused: %s\n", error.message);
	}
	print_balances (db);

	// By hand: of two that change the same, the second commit fails.
	var one = db.begin (Ldb.TransactionFlags.NONE);
	var two = db.begin (Ldb.TransactionFlags.NONE);
	one.put_string (null, "alice", "60");
	two.put_string (null, "alice", "0");
	one.commit (Ldb.SyncMode.FULL);
	try {
		two.commit (Ldb.SyncMode.DEFAULT);
	} catch (Ldb.Error.CONFLICT error) {
		print ("conflict: yes\n");
	}

	// Back to a savepoint, and on from there.
	var three = db.begin (Ldb.TransactionFlags.NONE);
	three.put_string (null, "bob", "90");
	var savepoint = three.savepoint ();
	three.put_string (null, "alice", "0");
	three.rollback_to (savepoint);
	three.commit (Ldb.SyncMode.DEFAULT);
	print_balances (db, "after going back: ");
	db.close ();
}

int main (string[] args) {
	try {
		use (Path.build_filename (args[1], "bank.db"));
		return 0;
	} catch (Error error) {
		printerr ("%s\n", error.message);
		return 1;
	}
}
