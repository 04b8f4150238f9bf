/* SPDX-License-Identifier: MIT */
/*
 * blob-private: the layout of a blob file, shared by its writer and its reader.
 * docs/design/format-blob.md says the same in words.
 */
#ifndef LIGHTNING_BLOB_PRIVATE_H
#define LIGHTNING_BLOB_PRIVATE_H

#include "blob/blob.h"

#define BLOB_MAGIC "LDBBLB1\n"
#define BLOB_MAGIC_SIZE 8u
#define BLOB_FORMAT_VERSION 1u
#define BLOB_HEADER_SIZE 64u
#define BLOB_ALIGNMENT 8u
#define BLOB_TRAILER_SIZE 8u      /* what we write: the checksum alone */
#define BLOB_TRAILER_SIZE_MAX 64u /* what the format allows */
#define BLOB_NAME_SIZE 40u

/* "<number>.blob" */
void blob_name (char to[BLOB_NAME_SIZE], uint64_t number);

void blob_header_store (uint8_t to[BLOB_HEADER_SIZE], const uint8_t database_id[16],
                        uint64_t number);

#endif
