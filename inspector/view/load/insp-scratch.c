/* SPDX-License-Identifier: MIT */
/*
 * Invariants
 *   X1  The owner's file is locked from before its folder has anything else until that is empty again.
 *   X2  Only what is below a folder whose owner this program has locked is removed.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <glib/gi18n-lib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "insp-scratch.h"

#define PREFIX "database-"
#define OWNER "owner"

struct _InspScratch
{
  char *folder; /* owned */
  char *path;   /* of the database; owned */
  int owner;    /* the descriptor that has the lock */
};

char *
insp_scratch_get_root (void)
{
  return g_build_filename (g_get_user_cache_dir (), "lightning-inspector", "scratch", NULL);
}

static gboolean
fail (GError **error, const char *path)
{
  int code = errno;
  g_set_error (error, G_IO_ERROR, g_io_error_from_errno (code),
               _ ("No scratch folder can be made in %s: %s"), path, g_strerror (code));
  return FALSE;
}

/* Takes the file that says whose the folder is; -1: somebody has it, or there is none. */
static int
lock_owner (const char *folder, int flags)
{
  g_autofree char *path = g_build_filename (folder, OWNER, NULL);
  struct stat its;
  int owner = open (path, flags | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (owner < 0)
    return -1;
  if (fstat (owner, &its) == 0 && S_ISREG (its.st_mode) && its.st_uid == getuid ()
      && flock (owner, LOCK_EX | LOCK_NB) == 0)
    return owner;
  close (owner);
  return -1;
}

/* X2. The owner's file goes last, so that what is interrupted is gone on with by the next one. */
static void
remove_below (const char *folder)
{
  g_autofree char *owner = g_build_filename (folder, OWNER, NULL);
  char *const roots[] = { (char *) folder, NULL };
  FTS *tree = fts_open (roots, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL);
  if (tree == NULL)
    return;
  for (FTSENT *entry; (entry = fts_read (tree)) != NULL;)
    if (entry->fts_level > 0 && entry->fts_info != FTS_D && strcmp (entry->fts_path, owner) != 0)
      g_remove (entry->fts_path);
  fts_close (tree);
  g_unlink (owner);
  g_rmdir (folder);
}

/* The descriptor keeps the lock until all is gone: X1. */
static void
remove_locked (const char *folder, int owner)
{
  remove_below (folder);
  close (owner);
}

/* A new folder with its owner locked; -1 with `error`. */
static int
make_folder (const char *root, char **folder, GError **error)
{
  *folder = g_build_filename (root, PREFIX "XXXXXX", NULL);
  if (g_mkdir_with_parents (root, 0700) != 0 || g_mkdtemp_full (*folder, 0700) == NULL)
    {
      fail (error, root);
      return -1;
    }
  int owner = lock_owner (*folder, O_CREAT | O_EXCL);
  if (owner < 0)
    {
      fail (error, *folder);
      g_rmdir (*folder);
    }
  return owner;
}

InspScratch *
insp_scratch_new (const char *name, GError **error)
{
  g_autofree char *root = insp_scratch_get_root ();
  g_autofree char *folder = NULL;
  int owner = make_folder (root, &folder, NULL);
  if (owner < 0) /* another program may have swept it away before it was locked: once, then */
    {
      g_free (folder);
      owner = make_folder (root, &folder, error);
    }
  if (owner < 0)
    return NULL;
  InspScratch *self = g_new0 (InspScratch, 1);
  self->path = g_build_filename (folder, name, NULL);
  self->folder = g_steal_pointer (&folder);
  self->owner = owner;
  return self;
}

const char *
insp_scratch_get_path (InspScratch *self)
{
  return self->path;
}

static void
forget (InspScratch *self)
{
  g_free (self->folder);
  g_free (self->path);
  g_free (self);
}

void
insp_scratch_free (InspScratch *self)
{
  remove_locked (self->folder, self->owner);
  forget (self);
}

void
insp_scratch_abandon (InspScratch *self)
{
  close (self->owner);
  forget (self);
}

guint64
insp_scratch_get_room (InspScratch *self)
{
  struct statvfs its;
  return statvfs (self->folder, &its) == 0 ? (guint64) its.f_bavail * its.f_frsize : 0;
}

guint
insp_scratch_sweep (void)
{
  g_autofree char *root = insp_scratch_get_root ();
  g_autoptr (GDir) dir = g_dir_open (root, 0, NULL);
  const char *name;
  guint count = 0;
  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *folder = g_build_filename (root, name, NULL);
      struct stat its;
      if (!g_str_has_prefix (name, PREFIX) || lstat (folder, &its) != 0 || !S_ISDIR (its.st_mode))
        continue;
      int owner = lock_owner (folder, 0);
      if (owner < 0)
        continue;
      remove_locked (folder, owner);
      count++;
    }
  return count;
}

static gpointer
sweep (gpointer data)
{
  insp_scratch_sweep ();
  return NULL;
}

void
insp_scratch_sweep_once (void)
{
  static gsize done;
  g_autofree char *root = NULL;
  if (!g_once_init_enter (&done))
    return;
  root = insp_scratch_get_root ();
  GThread *thread = g_file_test (root, G_FILE_TEST_IS_DIR)
                        ? g_thread_try_new ("sweeping", sweep, NULL, NULL)
                        : NULL;
  if (thread != NULL)
    g_thread_unref (thread);
  g_once_init_leave (&done, 1);
}
