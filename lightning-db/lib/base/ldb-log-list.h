/* SPDX-License-Identifier: MIT */
/*
 * What is logged: each kind of line with its name (LDB_EVENT), level, log domain, MESSAGE_ID, and the
 * fields that it may have beside those of every line.
 *
 * Names, ids and fields are what people filter by: they stay. docs/guides/monitoring.md and
 * data/lightning-db.catalog say the same; the test log-catalogue compares them.
 *
 *   LDB_LOG_KIND (constant, name, level, domain, id, fields)
 */
LDB_LOG_KIND (OPENED, "opened", INFO, "Ldb", "93e04d7844cf4c57be3a11040e2f8d23",
              "LDB_DATABASE LDB_DATABASE_ID LDB_SEQUENCE")
LDB_LOG_KIND (RECOVERED, "recovered", INFO, "Ldb", "9fd8d2060c214721ba6747141db6ffbc",
              "LDB_DATABASE LDB_DATABASE_ID LDB_BYTES LDB_DURATION_USEC")
LDB_LOG_KIND (TOOK_OVER, "took-over", INFO, "Ldb", "2b848ac640d042afa564bf1d31dff7d9",
              "LDB_DATABASE LDB_DATABASE_ID LDB_SEQUENCE")
LDB_LOG_KIND (FLUSHED, "flushed", DEBUG, "Ldb", "0b859625a2624e0e9a31cb8c38419526",
              "LDB_DATABASE LDB_DATABASE_ID LDB_BYTES LDB_DURATION_USEC")
LDB_LOG_KIND (MERGED, "merged", DEBUG, "Ldb", "86879fd3e7ba4bca8d8a156426a57bbb",
              "LDB_DATABASE LDB_DATABASE_ID LDB_BYTES LDB_BYTES_READ LDB_DURATION_USEC")
LDB_LOG_KIND (LOADED, "loaded", INFO, "Ldb", "a5e9e40ac7d2436e83b0d03f9d5c2924",
              "LDB_DATABASE LDB_DATABASE_ID LDB_RECORDS")
LDB_LOG_KIND (BACKED_UP, "backed-up", INFO, "Ldb", "8b05ce3821b14837aa10cf1dfb844ffd",
              "LDB_DATABASE LDB_DATABASE_ID LDB_BYTES LDB_DURATION_USEC")
LDB_LOG_KIND (STALLED, "stalled", INFO, "Ldb", "b8bc450c246d43acbb70549c093e421d",
              "LDB_DATABASE LDB_DATABASE_ID LDB_DURATION_USEC")
LDB_LOG_KIND (CONFLICT, "conflict", DEBUG, "Ldb", "9effbbf1ed4040b494ddd5ea0d8f56f5",
              "LDB_DATABASE LDB_DATABASE_ID")
LDB_LOG_KIND (TIMED_OUT, "timed-out", INFO, "Ldb", "5dc3b4c375584d90a68272bc91eb0153",
              "LDB_DATABASE LDB_DATABASE_ID LDB_DURATION_USEC")
LDB_LOG_KIND (FAILED, "failed", WARNING, "Ldb", "d3a71a31dc1e4802b1f6f985323518a9",
              "LDB_DATABASE LDB_DATABASE_ID LDB_ERROR LDB_HELD_BACK")
LDB_LOG_KIND (CORRUPT, "corrupt", WARNING, "Ldb", "81139a01183d4ecead85f126fe2e66ba",
              "LDB_DATABASE LDB_DATABASE_ID LDB_ERROR LDB_HELD_BACK")
LDB_LOG_KIND (HEALED, "healed", MESSAGE, "Ldb", "d8235553d8d94c10bcd0b459f7bc9901",
              "LDB_DATABASE LDB_DATABASE_ID")
LDB_LOG_KIND (HEALTH, "health", INFO, "Ldb", "fb44f8e7920b49e6bdc3fb21c3d1012d",
              "LDB_DATABASE LDB_DATABASE_ID")
LDB_LOG_KIND (ENTRY, "entry", WARNING, "Ldb", "fc02b64d60194a108a76c63333825a21",
              "LDB_DATABASE LDB_DATABASE_ID LDB_ERROR")
LDB_LOG_KIND (NOT_INSPECTABLE, "not-inspectable", WARNING, "Ldb",
              "f90f256854f74dd6b03091ff593c6c4d", "LDB_DATABASE LDB_DATABASE_ID LDB_ERROR")
LDB_LOG_KIND (INSPECTOR_CONNECTED, "inspector-connected", INFO, "Ldb",
              "caaf016eca0841499cd919c275552f25", "LDB_PEER LDB_HELD_BACK")
LDB_LOG_KIND (INSPECTOR_ENDED, "inspector-ended", INFO, "Ldb", "fc9c3678aca54bef910991cc1c213975",
              "LDB_PEER LDB_REASON LDB_HELD_BACK")
LDB_LOG_KIND (INSPECTOR_CONTROL, "inspector-control", INFO, "Ldb",
              "36b4f1d31d2344449997ea938e9f2d06", "LDB_DATABASE LDB_PEER LDB_HELD_BACK")
LDB_LOG_KIND (INSPECTOR_REFUSED, "inspector-refused", MESSAGE, "Ldb",
              "efc33e7e5d494144b470cb5248f78e21",
              "LDB_DATABASE LDB_PEER LDB_REASON LDB_HELD_BACK")
LDB_LOG_KIND (VARIABLE, "variable", WARNING, "Ldb", "c563d1f7ab4843ff8b9d8310daa15059",
              "LDB_VARIABLE LDB_VARIABLE_VALUE")
LDB_LOG_KIND (MONITOR_STARTED, "monitor-started", INFO, "LdbMonitor",
              "7415c5f8ea044496934a437695b519e7", "LDB_PLACE")
LDB_LOG_KIND (MONITOR_REFUSED, "monitor-refused", MESSAGE, "LdbMonitor",
              "829a021dfef543f7bc442e7b4c4a8cfe", "LDB_PEER LDB_REASON LDB_HELD_BACK")
