/* SPDX-License-Identifier: MIT */
/* The contract of vfs.h, on the operating system's implementation. */
#include "base/vfs.h"

#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

static struct failure failure;
static char *root;

static char *
path_below (const char *name)
{
  static char path[600];
  snprintf (path, sizeof path, "%s/%s", root, name);
  return path;
}

static unsigned
mode_of (const char *path)
{
  struct stat information;
  CHECK (stat (path, &information) == 0);
  return information.st_mode & 07777;
}

static struct vfs_directory *
open_root (void)
{
  struct vfs_directory *directory;
  CHECK_OK (vfs_directory_open (vfs_posix (), root, false, &directory, &failure));
  return directory;
}

static void
put_file (struct vfs_directory *directory, const char *name, const char *text)
{
  struct vfs_file *file;
  CHECK_OK (vfs_open (directory, name, VFS_WRITE | VFS_CREATE | VFS_TRUNCATE, &file, &failure));
  CHECK_OK (vfs_write (file, 0, text, strlen (text), &failure));
  CHECK_OK (vfs_sync_data (file, &failure));
  vfs_close (file);
}

static void
expect_file (struct vfs_directory *directory, const char *name, const char *text)
{
  char content[64] = "";
  size_t got;
  struct vfs_file *file;
  CHECK_OK (vfs_open (directory, name, VFS_READ, &file, &failure));
  CHECK_OK (vfs_read (file, 0, content, sizeof content, &got, &failure));
  CHECK_INT (got, strlen (text));
  CHECK (memcmp (content, text, got) == 0);
  vfs_close (file);
}

static void
test_directories (void)
{
  struct vfs_directory *directory;
  CHECK_FAILS (
      vfs_directory_open (vfs_posix (), path_below ("missing"), false, &directory, &failure),
      STATUS_NOT_FOUND);
  CHECK (directory == NULL);
  CHECK_FAILS (vfs_directory_open (vfs_posix (), path_below ("a/b"), true, &directory, &failure),
               STATUS_NOT_FOUND);
  CHECK (strstr (failure.message, "parent") != NULL);

  for (mode_t mask = 0; mask <= 0777; mask += 0777)
    {
      mode_t before = umask (mask);
      const char *path = path_below (mask == 0 ? "open" : "shut");
      CHECK_OK (vfs_directory_open (vfs_posix (), path, true, &directory, &failure));
      CHECK_INT (mode_of (path), 0700);
      struct vfs_file *file;
      CHECK_OK (vfs_open (directory, "file", VFS_WRITE | VFS_CREATE, &file, &failure));
      vfs_close (file);
      umask (before);
      char name[700];
      snprintf (name, sizeof name, "%s/file", path);
      CHECK_INT (mode_of (name), 0600);
      CHECK_OK (vfs_directory_sync (directory, &failure));
      vfs_directory_close (directory);
    }

  /* What was there keeps its mode. */
  CHECK (chmod (path_below ("open"), 0755) == 0);
  CHECK_OK (vfs_directory_open (vfs_posix (), path_below ("open"), true, &directory, &failure));
  CHECK_INT (mode_of (path_below ("open")), 0755);
  vfs_directory_close (directory);

  directory = open_root ();
  put_file (directory, "plain", "x");
  struct vfs_directory *wrong;
  CHECK_FAILS (vfs_directory_open (vfs_posix (), path_below ("plain"), true, &wrong, &failure),
               STATUS_INVALID);
  CHECK (strstr (failure.message, "is not a directory") != NULL);
  vfs_directory_mapping_is_safe (directory);
  vfs_directory_close (directory);
}

/* Paths that are the caller's mistake say so, whatever their length. */
static void
test_wrong_paths (void)
{
  struct vfs_directory *directory;
  static char deep[3000], *at = deep;
  for (bool create = false;; create = true)
    {
      CHECK (create || symlink ("nowhere", path_below ("dangling")) == 0);
      CHECK_FAILS (
          vfs_directory_open (vfs_posix (), path_below ("dangling"), create, &directory, &failure),
          STATUS_NOT_FOUND);
      CHECK (strstr (failure.message, "symbolic link") != NULL);
      if (create)
        break;
    }
  CHECK (access (path_below ("nowhere"), F_OK) != 0);

  at += sprintf (at, "%s/", root);
  for (unsigned i = 0; i < 300; i++)
    at += sprintf (at, "%s", "ü"); /* names end at 255 bytes */
  CHECK_FAILS (vfs_directory_open (vfs_posix (), deep, true, &directory, &failure), STATUS_INVALID);
  CHECK (strstr (failure.message, root) != NULL);
  CHECK (strstr (failure.message, "too long; choose a shorter path") != NULL);
  CHECK (strstr (failure.message, "ü…") != NULL); /* cut between characters */
  const char *after = strstr (failure.message, "…") + strlen ("…");
  CHECK ((*(const unsigned char *) after & 0xc0) != 0x80);
  CHECK (strlen (failure.message) < sizeof failure.message);
  CHECK (strlen (failure.message) > sizeof failure.message - 8);
  failure = FAILURE_INIT;
  fail (&failure, STATUS_INVALID, "%s is wrong; do right", deep);
  CHECK (strstr (failure.message, "is wrong; do right") != NULL);
}

static void
test_unwritable (void)
{
  if (geteuid () == 0)
    return; /* root may write everywhere */
  struct vfs_directory *directory;
  CHECK (mkdir (path_below ("sealed"), 0500) == 0);
  CHECK_FAILS (
      vfs_directory_open (vfs_posix (), path_below ("sealed/x"), true, &directory, &failure),
      STATUS_DENIED);
  CHECK_INT (failure.system_error, EACCES);
  CHECK_OK (vfs_directory_open (vfs_posix (), path_below ("sealed"), false, &directory, &failure));
  struct vfs_file *file;
  CHECK_FAILS (vfs_open (directory, "x", VFS_WRITE | VFS_CREATE, &file, &failure), STATUS_DENIED);
  CHECK (strstr (failure.message, "sealed/x") != NULL);
  vfs_directory_close (directory);
}

static bool
count_entry (void *data, const char *name)
{
  CHECK (strcmp (name, ".") != 0 && strcmp (name, "..") != 0);
  ++*(int *) data;
  return true;
}

static bool
stop_at_first (void *data, const char *name)
{
  ++*(int *) data;
  return false;
}

static void
test_listing_and_names (void)
{
  struct vfs_directory *directory, *other;
  int count = 0;
  CHECK_OK (vfs_directory_open (vfs_posix (), path_below ("list"), true, &directory, &failure));
  CHECK_OK (vfs_directory_open (vfs_posix (), path_below ("other"), true, &other, &failure));
  CHECK_OK (vfs_directory_list (directory, count_entry, &count, &failure));
  CHECK_INT (count, 0);
  put_file (directory, "one", "1");
  put_file (directory, "two", "2");
  for (int turn = 0; turn < 2; turn++, count = 0)
    {
      CHECK_OK (vfs_directory_list (directory, count_entry, &count, &failure));
      CHECK_INT (count, 2); /* again from the start the second time */
    }
  CHECK_OK (vfs_directory_list (directory, stop_at_first, &count, &failure));
  CHECK_INT (count, 1);

  CHECK_OK (vfs_rename (directory, "one", "two", &failure));
  expect_file (directory, "two", "1");
  CHECK_OK (vfs_link (directory, "two", other, "linked", &failure));
  expect_file (other, "linked", "1");
  CHECK_FAILS (vfs_link (directory, "two", other, "linked", &failure), STATUS_EXISTS);

  struct failure ignored = FAILURE_INIT;
  status cloned = vfs_clone (directory, "two", other, "cloned", &ignored);
  struct vfs_file *file;
  if (cloned == STATUS_OK)
    expect_file (other, "cloned", "1");
  else
    {
      CHECK_INT (cloned, STATUS_UNSUPPORTED);
      CHECK_FAILS (vfs_open (other, "cloned", VFS_READ, &file, &failure), STATUS_NOT_FOUND);
    }
  CHECK_FAILS (vfs_clone (directory, "two", other, "linked", &failure), STATUS_EXISTS);
  expect_file (other, "linked", "1");
  CHECK_FAILS (vfs_clone (directory, "none", other, "x", &failure), STATUS_NOT_FOUND);

  CHECK_OK (vfs_unlink (directory, "two", &failure));
  CHECK_OK (vfs_unlink (directory, "two", &failure));
  CHECK_FAILS (vfs_unlink (directory, "../other/linked", &failure), STATUS_INVALID);
  CHECK_FAILS (vfs_rename (other, "linked", "../escaped", &failure), STATUS_INVALID);
  CHECK_FAILS (vfs_rename (other, "none", "x", &failure), STATUS_IO);
  vfs_directory_close (other);
  vfs_directory_close (directory);
}

static void
test_opening (void)
{
  struct vfs_directory *directory = open_root ();
  struct vfs_file *file;
  put_file (directory, "target", "secret");
  CHECK (symlink ("target", path_below ("symbolic")) == 0);
  CHECK (mkfifo (path_below ("fifo"), 0600) == 0);
  CHECK_FAILS (vfs_open (directory, "symbolic", VFS_READ, &file, &failure), STATUS_INVALID);
  CHECK_FAILS (
      vfs_open (directory, "symbolic", VFS_WRITE | VFS_CREATE | VFS_TRUNCATE, &file, &failure),
      STATUS_INVALID);
  CHECK_FAILS (
      vfs_open (directory, "symbolic", VFS_WRITE | VFS_CREATE | VFS_EXCLUSIVE, &file, &failure),
      STATUS_EXISTS);
  expect_file (directory, "target", "secret");
  CHECK_FAILS (vfs_open (directory, "fifo", VFS_READ, &file, &failure), STATUS_INVALID);
  CHECK_FAILS (vfs_open (directory, "fifo", VFS_WRITE, &file, &failure), STATUS_INVALID);
  CHECK_FAILS (vfs_open (directory, "open", VFS_READ, &file, &failure), STATUS_INVALID);
  CHECK_FAILS (vfs_open (directory, "open", VFS_WRITE, &file, &failure), STATUS_INVALID);
  CHECK_FAILS (vfs_open (directory, "none", VFS_WRITE, &file, &failure), STATUS_NOT_FOUND);
  CHECK (file == NULL);
  const char *const bad[] = { "", ".", "..", "a/b", "/etc/passwd" };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    CHECK_FAILS (vfs_open (directory, bad[i], VFS_READ, &file, &failure), STATUS_INVALID);
  CHECK_FAILS (
      vfs_open (directory, "target", VFS_WRITE | VFS_CREATE | VFS_EXCLUSIVE, &file, &failure),
      STATUS_EXISTS);
  CHECK_FAILS (vfs_open (directory, "target", VFS_TRUNCATE, &file, &failure), STATUS_INVALID);
  CHECK_OK (vfs_open (directory, "target", VFS_READ, &file, &failure));
  CHECK_FAILS (vfs_write (file, 0, "x", 1, &failure), STATUS_IO);
  vfs_close (file);
  vfs_directory_close (directory);
}

static void
test_reading_and_writing (void)
{
  struct vfs_directory *directory = open_root ();
  struct vfs_file *file;
  struct vfs_file_information information;
  uint8_t data[10000], back[20000];
  size_t got;
  for (size_t i = 0; i < sizeof data; i++)
    data[i] = (uint8_t) (i * 7 + i / 256);
  CHECK_OK (vfs_open (directory, "data", VFS_WRITE | VFS_CREATE | VFS_EXCLUSIVE, &file, &failure));
  CHECK_OK (vfs_write (file, 3, data, sizeof data, &failure));
  CHECK_OK (vfs_read (file, 0, back, sizeof back, &got, &failure));
  CHECK_INT (got, sizeof data + 3);
  CHECK (back[0] == 0 && back[2] == 0 && memcmp (back + 3, data, sizeof data) == 0);
  CHECK_OK (vfs_read (file, 20000, back, 5, &got, &failure));
  CHECK_INT (got, 0);
  CHECK_OK (vfs_read_exact (file, 3, back, sizeof data, &failure));
  CHECK_FAILS (vfs_read_exact (file, 4, back, sizeof data, &failure), STATUS_CORRUPT);
  CHECK (strstr (failure.message, "/data is cut short") != NULL);
  CHECK_FAILS (vfs_read (file, UINT64_MAX - 2, back, 5, &got, &failure), STATUS_INVALID);
  CHECK_FAILS (vfs_write (file, INT64_MAX, data, 1, &failure), STATUS_INVALID);

  CHECK_OK (vfs_information (file, &information, &failure));
  CHECK_INT (information.size, sizeof data + 3);
  CHECK (information.inode != 0);
  CHECK_OK (vfs_truncate (file, 100, &failure));
  CHECK_OK (vfs_information (file, &information, &failure));
  CHECK_INT (information.size, 100);
  struct failure maybe = FAILURE_INIT;
  status allocated = vfs_allocate (file, 0, 1 << 20, &maybe);
  CHECK (allocated == STATUS_OK || allocated == STATUS_UNSUPPORTED);
  if (allocated == STATUS_OK)
    {
      CHECK_OK (vfs_information (file, &information, &failure));
      CHECK_INT (information.size, 1 << 20);
      CHECK (information.allocated >= 1 << 20);
    }
  vfs_advise_will_need (file, 0, 4096);
  vfs_advise_write_back (file, 0, UINT64_MAX);
  vfs_advise_write_back (file, 0, 4096);
  vfs_advise_drop (file, 0, UINT64_MAX);
  vfs_advise_drop (file, 0, 4096);
  CHECK_OK (vfs_sync_data (file, &failure));
  vfs_close (file);
  vfs_directory_close (directory);
}

static void
test_direct (void)
{
  struct vfs_directory *directory = open_root ();
  struct vfs_file *file;
  uint8_t *data = aligned_alloc (4096, 65536), *back = malloc (65536);
  memset (data, 0x5a, 65536);
  CHECK_OK (vfs_open (directory, "direct", VFS_WRITE | VFS_CREATE | VFS_EXCLUSIVE | VFS_DIRECT,
                      &file, &failure));
  CHECK_OK (vfs_write (file, 0, data, 65536, &failure));
  CHECK_OK (vfs_write (file, 65536, data, 4096, &failure));
  /* Unaligned access leaves direct mode instead of failing. */
  CHECK_OK (vfs_read_exact (file, 17, back + 1, 999, &failure));
  CHECK (memcmp (back + 1, data + 17, 999) == 0);
  CHECK_OK (vfs_write (file, 65536 + 4096, "tail", 4, &failure));
  CHECK_OK (vfs_read_exact (file, 65536 + 4096, back, 4, &failure));
  CHECK (memcmp (back, "tail", 4) == 0);
  vfs_close (file);
  free (data);
  free (back);
  vfs_directory_close (directory);
}

static void
test_mapping (void)
{
  struct vfs_directory *directory = open_root ();
  struct vfs_file *file;
  static const uint8_t zeros[65536];
  void *at = NULL;
  char back[6];
  CHECK_OK (vfs_open (directory, "mapped", VFS_WRITE | VFS_CREATE, &file, &failure));
  CHECK_OK (vfs_write (file, 0, zeros, sizeof zeros, &failure));
  struct failure maybe = FAILURE_INIT;
  status populated = vfs_map (file, 0, sizeof zeros, true, true, &at, &maybe);
  if (vfs_directory_mapping_is_safe (directory))
    CHECK_INT (populated, STATUS_OK);
  if (populated == STATUS_OK)
    {
      memcpy ((char *) at + 4096, "hello", 6);
      CHECK_OK (vfs_read_exact (file, 4096, back, 6, &failure));
      CHECK (memcmp (back, "hello", 6) == 0);
      vfs_unmap (file, at, sizeof zeros);
    }
  CHECK_OK (vfs_map (file, 4096, 4096, false, false, &at, &failure));
  CHECK (populated != STATUS_OK || memcmp (at, "hello", 6) == 0);
  vfs_unmap (file, at, 4096);
  CHECK_FAILS (vfs_map (file, 1, 4096, false, false, &at, &failure), STATUS_INVALID);
  CHECK_FAILS (vfs_map (file, 0, 0, false, false, &at, &failure), STATUS_INVALID);
  CHECK_FAILS (vfs_map (file, 0, 4096, false, true, &at, &failure), STATUS_INVALID);
  CHECK (at == NULL);
  /* A file cut short: populating reports what a store would have died of. */
  CHECK_OK (vfs_truncate (file, 4096, &failure));
  CHECK_FAILS (vfs_map (file, 0, sizeof zeros, true, true, &at, &failure), STATUS_UNSUPPORTED);
  vfs_close (file);
  vfs_directory_close (directory);
}

static void
test_locks (void)
{
  struct vfs_directory *directory = open_root ();
  struct vfs_file *first, *second;
  enum vfs_lock_result taken;
  CHECK_OK (vfs_open (directory, "lock", VFS_WRITE | VFS_CREATE, &first, &failure));
  CHECK_OK (vfs_open (directory, "lock", VFS_WRITE, &second, &failure));
  CHECK_OK (vfs_lock (first, false, &taken, &failure));
  CHECK_INT (taken, VFS_LOCK_TAKEN);
  CHECK_OK (vfs_lock (second, false, &taken, &failure)); /* within one process, too */
  CHECK_INT (taken, VFS_LOCK_HELD_BY_OTHER);
  vfs_close (first);
  CHECK_OK (vfs_lock (second, false, &taken, &failure));
  CHECK_INT (taken, VFS_LOCK_TAKEN);
  vfs_close (second);

  /* Released by the death of the holder; the waiter gets it then. */
  int ready[2];
  char byte;
  CHECK (pipe (ready) == 0);
  pid_t child = fork ();
  if (child == 0)
    {
      if (vfs_open (directory, "lock", VFS_WRITE, &first, NULL) != STATUS_OK
          || vfs_lock (first, false, &taken, NULL) != STATUS_OK || taken != VFS_LOCK_TAKEN)
        _exit (1);
      if (write (ready[1], "x", 1) != 1)
        _exit (1);
      usleep (50000);
      _exit (0);
    }
  CHECK (read (ready[0], &byte, 1) == 1);
  CHECK_OK (vfs_open (directory, "lock", VFS_WRITE, &second, &failure));
  CHECK_OK (vfs_lock (second, true, &taken, &failure));
  CHECK_INT (taken, VFS_LOCK_TAKEN);
  int outcome;
  CHECK (waitpid (child, &outcome, 0) == child);
  CHECK_INT (outcome, 0);
  vfs_close (second);
  CHECK_OK (vfs_open (directory, "lock", VFS_READ, &second, &failure));
  CHECK_FAILS (vfs_lock (second, false, &taken, &failure), STATUS_IO);
  vfs_close (second);
  close (ready[0]);
  close (ready[1]);
  vfs_directory_close (directory);
}

/* A program started with its standard streams closed prints into no database file. */
static void
test_standard_streams (void)
{
  pid_t child = fork ();
  CHECK (child >= 0);
  if (child == 0)
    {
      struct vfs_directory *directory;
      struct vfs_file *created, *opened;
      for (int stream = 0; stream <= 2; stream++)
        close (stream);
      if (vfs_directory_open (vfs_posix (), root, true, &directory, NULL) != STATUS_OK
          || vfs_open (directory, "streams", VFS_WRITE | VFS_CREATE, &created, NULL) != STATUS_OK
          || vfs_open (directory, "streams", VFS_WRITE, &opened, NULL) != STATUS_OK)
        _exit (3);
      for (int stream = 0; stream <= 2; stream++)
        if (fcntl (stream, F_GETFD) >= 0)
          _exit (4 + stream);
      _exit (0);
    }
  int outcome;
  CHECK (waitpid (child, &outcome, 0) == child);
  CHECK_INT (outcome, 0);
}

/* A limit is not blamed on the disk. */
static void
test_remedies (void)
{
  const struct
  {
    int error;
    const char *remedy;
  } cases[] = {
    { EMFILE, "ulimit -n" },    { ENFILE, "ulimit -n" },   { EAGAIN, "ulimit -u" },
    { ELOOP, "symbolic link" }, { EIO, "check the disk" }, { EACCES, "permissions" },
    { EFBIG, "ulimit -f" },
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    {
      struct failure why = FAILURE_INIT;
      fail_system (&why, cases[i].error, "something");
      CHECK (strstr (why.message, cases[i].remedy) != NULL);
    }
}

int
main (void)
{
  root = fresh_directory ();
  test_directories ();
  test_wrong_paths ();
  test_unwritable ();
  test_listing_and_names ();
  test_opening ();
  test_reading_and_writing ();
  test_direct ();
  test_mapping ();
  test_locks ();
  test_standard_streams ();
  test_remedies ();
  remove_directory (root);
  return 0;
}
