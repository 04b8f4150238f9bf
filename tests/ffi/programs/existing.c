/* SPDX-License-Identifier: MIT */
/* A program as they were written to the flat C ABI before there was this library: nothing of it may
 * have to change. It is built with the compiler's default flags, and may run any number of times in
 * one directory. */
#include <stdio.h>
#include <string.h>
#include "lightning_db_ffi.h"

static void must(enum LightningDBError error, const char* what) {
    if (error != Success) {
        fprintf(stderr, "%s: error %d: %s\n", what, error, lightning_db_error_string(error));
        exit(1);
    }
}

static void show(struct LightningDB* db, const char* key) {
    struct LightningDBResult result;
    must(lightning_db_get(db, (const uint8_t*)key, strlen(key), &result), "get");
    if (result.data) {
        printf("%s = %.*s\n", key, (int)result.len, result.data);
        lightning_db_free_result(result.data, result.len);
    } else {
        printf("%s is not there\n", key);
    }
}

int main() {
    LightningDBConfig* config = lightning_db_config_new();
    must(lightning_db_config_set_cache_size(config, 64 * 1024 * 1024), "cache size");
    must(lightning_db_config_set_page_size(config, 4096), "page size");
    LightningDB* db = lightning_db_create("./mydb", config);
    if (!db) {
        fprintf(stderr, "Failed to create the database\n");
        return 1;
    }

    const char* key = "greeting";
    const char* value = "good morning";
    LightningDBError err = lightning_db_put(db, (const uint8_t*)key, strlen(key),
                                            (const uint8_t*)value, strlen(value));
    if (err != Success) {
        fprintf(stderr, "Put failed: %s\n", lightning_db_error_string(err));
        lightning_db_free(db);
        return 1;
    }
    show(db, key);

    uint64_t tx_id;
    must(lightning_db_begin_transaction(db, &tx_id), "begin");
    for (int i = 0; i < 3; i++) {
        char tx_key[32], tx_value[32];
        snprintf(tx_key, sizeof(tx_key), "item:%d", i);
        snprintf(tx_value, sizeof(tx_value), "number %d", i);
        must(lightning_db_put_tx(db, tx_id, (const uint8_t*)tx_key, strlen(tx_key),
                                 (const uint8_t*)tx_value, strlen(tx_value)), "put_tx");
    }
    must(lightning_db_commit_transaction(db, tx_id), "commit");
    must(lightning_db_begin_transaction(db, &tx_id), "begin");
    must(lightning_db_put_tx(db, tx_id, (const uint8_t*)"item:9", 6, (const uint8_t*)"x", 1), "put_tx");
    must(lightning_db_abort_transaction(db, tx_id), "abort");
    if (lightning_db_commit_transaction(db, tx_id) == Success ||
        lightning_db_commit_transaction(db, 99999) == Success ||
        lightning_db_put(NULL, (const uint8_t*)"a", 1, (const uint8_t*)"b", 1) != NullPointer)
        return 1;
    show(db, "item:2");
    show(db, "item:9");

    must(lightning_db_delete(db, (const uint8_t*)key, strlen(key)), "delete");
    show(db, key);
    must(lightning_db_checkpoint(db), "checkpoint");
    lightning_db_free(db);
    lightning_db_config_free(config);

    db = lightning_db_open("./mydb", NULL);
    if (!db) {
        fprintf(stderr, "Failed to open the database\n");
        return 1;
    }
    show(db, "item:0");
    lightning_db_free(db);
    if (lightning_db_open("./no-such-db", NULL))
        return 1;
    return 0;
}
