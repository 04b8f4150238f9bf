# SPDX-License-Identifier: MIT
"""Why a bar cannot be met, as far as it is known: what bounds it, and what was tried. The report has it for
bars that are lost; the figures are in the pages that it names."""

# By what bars.py calls them.
FLOORS = {
    "reader beside a writer: reads": (
        "Reads and writes are exchanged for each other: what the writer makes are pages that no cache has seen, and the "
        "memory bus is his. Ours rests two thirds of its time so that the reader is not behind, and writes more than the "
        "others all the same (next row). Held back until the reader had twice the best peer's reads, it wrote half of "
        "what that one did. That, what else was tried, and the reader's profile: "
        "[design/read.md](design/read.md#beside-a-writer)."),
    "fillseq, 1000 per batch": (
        "What is written goes to new memory three times (log, memtable, segment), LMDB's goes once. Where memory is slow that "
        "decides, and what a flush takes, which a writer cannot outrun for long: the batches themselves are half of the time. "
        "Seven ways, as they were measured: "
        "[design/commit.md](design/commit.md#batches-in-rising-order)."),
    "100 KB values, read": (
        "The row is copying 100 KB from memory that no cache holds, and comparing them: the array of strings (`limit`), which "
        "does nothing else, is within the noise of the best engine, so that none can be a fifth faster. Copies with the source "
        "prefetched, in seven shapes, gain nothing, and huge pages an eighth. As measured: "
        "[design/read.md](design/read.md#large-values)."),
    "cold reads": (
        "20,000 gets touch every megabyte of a file of 208 MB, so the disk has to give all of it to whoever is to be fast; at "
        "its rate for long reads that bounds all engines alike. Ways of reading around a page, as they were measured: "
        "[design/segment.md](design/segment.md#the-systems-page-cache)."),
}
