/* SPDX-License-Identifier: MIT */
/*
 * Answers for the parts of the engine that this version of the tree does not have yet; compiled
 * only while they are missing.
 */
#include "engine.h"

#define UNAVAILABLE fail (failure, STATUS_UNSUPPORTED, "This build cannot do it yet.")

#ifdef LDB_WITHOUT_LOADER
status
engine_loader_new (struct engine *engine, struct engine_loader **out, struct failure *failure)
{
  return UNAVAILABLE;
}

status
engine_loader_put (struct engine_loader *loader, engine_store store, struct bytes key,
                   struct bytes value, struct failure *failure)
{
  return UNAVAILABLE;
}

status
engine_loader_commit (struct engine_loader *loader, uint64_t *sequence, struct failure *failure)
{
  return UNAVAILABLE;
}

void
engine_loader_free (struct engine_loader *loader)
{
}
#endif

#ifdef LDB_WITHOUT_BACKUP
status
engine_backup (struct engine *engine, const char *path, bool verify, engine_progress progress,
               void *data, struct engine_backup_result *out, struct failure *failure)
{
  return UNAVAILABLE;
}

status
engine_restore (const char *backup_path, const char *path, engine_progress progress, void *data,
                struct failure *failure)
{
  return UNAVAILABLE;
}
#endif

#ifdef LDB_WITHOUT_CHECK
status
engine_check (const char *path, bool deep,
              void (*fault) (void *data, const char *file, uint64_t page, const char *reason),
              engine_progress progress, void *data, struct engine_check_report *out,
              struct failure *failure)
{
  return UNAVAILABLE;
}

status
engine_check_open (struct engine *engine, bool deep,
                   void (*fault) (void *data, const char *file, uint64_t page, const char *reason),
                   engine_progress progress, void *data, struct engine_check_report *out,
                   struct failure *failure)
{
  return UNAVAILABLE;
}
#endif

#ifdef LDB_WITHOUT_REPAIR
status
engine_repair (const char *path, const char *destination,
               void (*lost) (void *data, const char *file, uint64_t page, const char *reason),
               engine_progress progress, void *data, struct engine_repair_report *out,
               struct failure *failure)
{
  return UNAVAILABLE;
}
#endif
