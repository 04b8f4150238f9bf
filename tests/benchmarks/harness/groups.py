# SPDX-License-Identifier: MIT
"""What is measured: groups of runs. A run is one process of one engine, which works through a few
rows (see lightning-db/benchmark/workload.h) on one database."""

from dataclasses import dataclass, field, replace

MIB = 1 << 20
LOAD = "fillrandom-batch,settle,compact"  # how a database for reading rows is made
READ_ROWS = ("readrandom,readsnapshot,readlent,readrandom@2,readhot,readmissing,multiget,"
             "readseq,readreverse,seek")


@dataclass(frozen=True)
class Settings:
    """What a run is told besides its rows."""
    records: int = 1_000_000
    key_size: int = 16
    value_size: int = 100
    budget: int = 256 * MIB
    operations: int = 0          # 0: as many as there are records, or a few times that: workload.c
    seconds: float = 5           # at most, of rows that can be short
    warming: float = 0.2
    sync: bool = False
    compression: bool = False
    cold: bool = False           # the page cache is emptied before each run

    def options(self):
        """As a program takes them."""
        options = ["--records", self.records, "--key-size", self.key_size, "--value-size",
                   self.value_size, "--budget", self.budget, "--operations", self.operations,
                   "--seconds", self.seconds, "--warming", self.warming]
        for name in ("sync", "compression"):
            if getattr(self, name):
                options.append("--" + name)
        return [str(option) for option in options]

    def data(self):
        """Bytes of keys and values."""
        return self.records * (self.key_size + self.value_size)

    def prepared_as(self):
        """Two settings with the same answer can share a prepared database."""
        return (self.records, self.key_size, self.value_size, self.budget, self.sync,
                self.compression, self.cold)


@dataclass(frozen=True)
class Run:
    """One process. `fresh`: it begins with no database, else with a prepared one."""
    rows: str
    fresh: bool = False
    changes: bool = False        # a prepared database is copied before, since rows change it
    then: str = ""               # rows of a second process on what the first one left
    once: bool = False           # as many operations as records, whatever the settings say


@dataclass(frozen=True)
class Group:
    name: str
    title: str
    runs: tuple
    settings: Settings = Settings()
    engines: tuple = ()          # only these; all when empty
    without: tuple = ()          # all but these
    sizes: tuple = ()            # repeated for these numbers of records
    once_above: int = 0          # a size above it is measured in one round; 0: in all, too
    rounds: int = 0              # at least so many, however many are asked for
    note: str = ""               # for the report
    core: bool = True            # part of what is run when no group is named


def fresh(*rows):
    return tuple(Run(row, fresh=True) for row in rows)


def prepared(*rows):
    return tuple(Run(row) for row in rows)


def changing(*rows):
    return tuple(Run(row, changes=True) for row in rows)


DURABLE = Settings(sync=True, seconds=3)
LARGE = Settings(records=2000, value_size=100_000, operations=20_000)
GROWTH = (100_000, 300_000, 1_000_000, 3_000_000, 10_000_000)

GROUPS = (
    Group("fill", "Filling an empty database",
          fresh("fillseq,settle", "fillseq-batch,settle", "fillrandom,settle",
                "fillrandom-batch,settle"),
          note="Each fill has a database of its own. `settle`: how long until all background work "
               "is done, and what the database then takes on disk."),
    Group("change", "Changing a filled database",
          changing("overwrite,settle", "deleterandom,settle", "overwriteall-batch,settle")),
    Group("read", "Reading", prepared(READ_ROWS),
          note="From a database that was filled at random, 1000 a batch, and had come to rest; "
               "RocksDB and LevelDB had compacted everything."),
    Group("mixed", "Reading and writing at once",
          changing("mixed", "mixed@2", "readwhilewriting")),
    Group("latency", "Latency of single operations",
          (Run("fill-latency", fresh=True), Run("overwrite-latency", changes=True),
           Run("read-latency"))),
    Group("sync", "Durable commits", fresh("fillsync", "fillsync@8", "fillsync-batch"), DURABLE,
          note="Each commit is on the disk before it is acknowledged. `limit`: a bare write to "
               "preallocated blocks and fdatasync."),
    Group("syncpairs", "Durable commits beside a bare write", fresh("fillsync"), replace(DURABLE, seconds=1),
          engines=("limit", "lightning"), rounds=30,
          note="How long a disk takes for a sync changes by more than a tenth from one moment to the next, so this "
               "bar is judged by thirty pairs, taken in turns."),
    Group("large", "Values of 100 KB", fresh("fillrandom,settle,compact,readrandom,readlent"), LARGE),
    Group("huge", "Values of 1 MB", fresh("fillrandom,settle,compact,readrandom,readlent"),
          replace(LARGE, records=200, value_size=1_000_000, operations=2000)),
    Group("small", "Keys and values of 8 bytes",
          fresh("fillrandom-batch,settle,compact,readrandom,multiget,readseq,seek"),
          Settings(key_size=8, value_size=8)),
    Group("compression", "With compression",
          fresh("fillrandom-batch,settle,compact,readrandom,readseq"),
          Settings(compression=True), without=("limit", "lmdb", "sqlite"),
          note="LMDB and SQLite have none."),
    Group("budget64", "A budget of 64 MB",
          (*fresh("fillrandom-batch,settle,compact,readrandom,readhot,readseq"), *changing("overwrite,settle")),
          Settings(budget=64 * MIB), without=("limit",)),
    Group("budget16", "A budget of 16 MB",
          (*fresh("fillrandom-batch,settle,compact,readrandom,readhot,readseq"), *changing("overwrite,settle")),
          Settings(budget=16 * MIB), without=("limit",)),
    Group("cold", "Cold: three times the budget, page cache emptied",
          (Run("readrandom"), Run("seek"), Run("readseq", once=True)),
          Settings(records=1_750_000, budget=64 * MIB, operations=20_000, warming=0, cold=True),
          without=("limit",),
          note="The page cache is emptied before each run, and fills again while it lasts; 20,000 reads, "
               "20,000 seeks, all records scanned."),
    Group("ranges", "Deleting ranges", changing("removerange,check,settle"), without=("limit",)),
    Group("transactions", "Transactions of ten mixed operations", changing("transactions"),
          Settings(operations=20_000), without=("limit", "leveldb"),
          note="Six gets, three puts and a delete each, isolated from others. LevelDB has none."),
    Group("open", "Opening", prepared("openclose"), without=("limit",)),
    Group("reopen", "Opening after a kill",
          (Run("fillrandom,kill", fresh=True, then="check"),), Settings(records=200_000),
          without=("limit",),
          note="200,000 single puts, then the process is killed; from opening to the first read."),
    Group("load", "Bulk loading against batches",
          fresh("bulkload,settle", "fillseq-batch,settle"), without=("limit",),
          note="Claimed elsewhere (A23): that writing whole tables makes bulk inserts 2.5 times as fast. "
               "LevelDB has no loader."),
    Group("threads", "Threads",
          (Run("readrandom@1,readrandom@2,readrandom@4,readrandom@8"),
           *changing("mixed@1", "mixed@2", "mixed@4", "mixed@8",
                     "overwrite@1", "overwrite@2", "overwrite@4", "overwrite@8"))),
    Group("growth", "How it grows",
          (Run("fillrandom-batch,settle,compact,readrandom,readhot,readseq", fresh=True,
               then="openclose,overwrite"),),
          sizes=GROWTH, once_above=1_000_000, without=("sqlite",), core=False,
          note="Medians of the rounds up to a million records; one round above. The array (`limit`) shows what "
               "the memory's own hierarchy does to random reads. SQLite would take longer than all others "
               "together."),
    Group("headline", "The headline's settings: 256 MB, zstd, prefetch, background merging",
          (Run("fillseq,settle", fresh=True), Run("fillrandom,settle", fresh=True),
           Run("fillrandom-batch,settle", fresh=True),
           Run("fillseq-batch,settle", fresh=True), Run("bulkload", fresh=True),
           Run("readseq,readrandom,readhot,readmissing,multiget,readhot@8"),
           *changing("mixed", "mixed@8")),
          Settings(compression=True), engines=("lightning",)),
)


def with_records(settings, records):
    return replace(settings, records=records)


def smaller(group, records=None, quick=False, seconds=None):
    """The group with other numbers of records, and for `quick` hardly any time."""
    settings = group.settings
    if seconds:
        settings = replace(settings, seconds=seconds)
    if quick:
        settings = replace(settings, seconds=min(settings.seconds, 0.5),
                           records=max(200, settings.records // 50))
        if settings.operations:
            settings = replace(settings, operations=max(200, settings.operations // 20))
        group = replace(group, sizes=tuple(size // 50 for size in group.sizes[:3]), rounds=0)
    if records and group.settings.records == Settings.records:
        settings = replace(settings, records=records)
    return replace(group, settings=settings)


def only_rows(group, rows):
    """The group with only the runs that have one of these rows, cut off behind it."""
    runs = []
    for run in group.runs:
        names = run.rows.split(",")
        wanted = [at for at, name in enumerate(names) if name in rows]
        if not wanted:
            continue
        kept = names[:wanted[-1] + 1] if run.fresh or run.changes \
            else [name for name in names if name in rows]
        runs.append(replace(run, rows=",".join(kept), then=run.then if kept == names else ""))
    return replace(group, runs=tuple(runs)) if runs else None
