// SPDX-License-Identifier: MIT
// Money that several threads move at once: money_transfer DIRECTORY
//
// Whoever is in another one's way begins again; nobody can spend what is not there, and the sum stays.

const int ACCOUNTS = 5;
const int THREADS = 4;
const int TRANSFERS = 200;

errordomain BankError {
	INSUFFICIENT_FUNDS
}

string account (int number) {
	return "account:%d".printf (number);
}

void transfer (Ldb.Database db, int from, int to, int amount) throws Error {
	db.run_transaction (Ldb.TransactionFlags.NONE, (transaction) => {
		var here = int.parse (transaction.get_string (null, account (from)));
		var there = int.parse (transaction.get_string (null, account (to)));
		if (here < amount)
			throw new BankError.INSUFFICIENT_FUNDS ("account %d has %d, not %d", from, here, amount);
		transaction.put_string (null, account (from), (here - amount).to_string ());
		return transaction.put_string (null, account (to), (there + amount).to_string ());
	});
}

// A thread's work: transfers between accounts by chance, always the same for the same seed.
int work (Ldb.Database db, uint32 seed) {
	var random = new Rand.with_seed (seed);
	var refused = 0;
	for (var i = 0; i < TRANSFERS; i++) {
		var from = random.int_range (0, ACCOUNTS);
		var to = (from + random.int_range (1, ACCOUNTS)) % ACCOUNTS;
		try {
			transfer (db, from, to, random.int_range (1, 60));
		} catch (BankError error) {
			refused++;
		} catch (Error error) {
			GLib.error ("%s", error.message);
		}
	}
	return refused;
}

void use (string path) throws Error {
	var db = Ldb.Database.open (path, Ldb.OpenFlags.CREATE, null);
	db.max_retries = 1000;
	for (var i = 0; i < ACCOUNTS; i++)
		db.put_string (account (i), "100");
	Thread<int>[] threads = {};
	for (var i = 0; i < THREADS; i++) {
		var seed = (uint32) i;
		threads += new Thread<int> ("transfers", () => work (db, seed));
	}
	var refused = 0;
	foreach (var thread in threads)
		refused += thread.join ();
	var sum = 0;
	var least = int.MAX;
	for (var i = 0; i < ACCOUNTS; i++) {
		var balance = int.parse (db.get_string (account (i)));
		sum += balance;
		least = int.min (least, balance);
	}
	print ("%d transfers, some refused: %s\n", THREADS * TRANSFERS, refused > 0 ? "yes" : "no");
	print ("sum %d, nobody below 0: %s\n", sum, least >= 0 ? "yes" : "no");
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
