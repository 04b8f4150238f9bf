/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "ldb-runtime-directory-private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "ldb-error-private.h"

#define BACKLOG 16      /* connections that wait to be accepted */
#define FILES_MAX 65536 /* names that are looked at */
#define LIFE_SUFFIX ".alive"

static int
fail_in_folder (GError **error, const char *what, const char *name)
{
  int code = errno;
  ldb_error_set (error, LDB_ERROR_IO, "Sharing with inspectors: %s \"%s\": %s.", what, name,
                 g_strerror (code));
  return -1;
}

char *
ldb_runtime_directory_path (void)
{
  const char *sandbox = g_getenv ("FLATPAK_ID");
  const char *runtime = g_get_user_runtime_dir ();
  if (sandbox != NULL && g_application_id_is_valid (sandbox)
      && g_file_test ("/.flatpak-info", G_FILE_TEST_EXISTS))
    return g_build_filename (runtime, "app", sandbox, LDB_RUNTIME_FOLDER, NULL);
  return g_build_filename (runtime, LDB_RUNTIME_FOLDER, NULL);
}

int
ldb_runtime_directory_open (const char *path, gboolean create, GError **error)
{
  struct stat info;
  if (create)
    {
      g_autofree char *above = g_path_get_dirname (path);
      if (g_mkdir_with_parents (above, 0700) != 0 || (mkdir (path, 0700) != 0 && errno != EEXIST))
        return fail_in_folder (error, "the folder cannot be made:", path);
    }
  int directory = open (path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (directory < 0 && (errno == ELOOP || errno == ENOTDIR))
    {
      ldb_error_set (error, LDB_ERROR_PERMISSION_DENIED,
                     "Sharing with inspectors: \"%s\" is a link or a file, and has to be a folder; "
                     "remove it.",
                     path);
      return -1;
    }
  if (directory < 0)
    return fail_in_folder (error, "the folder cannot be opened:", path);
  if (fstat (directory, &info) != 0 || info.st_uid != geteuid () || (info.st_mode & 077) != 0)
    {
      close (directory);
      ldb_error_set (error, LDB_ERROR_PERMISSION_DENIED,
                     "Sharing with inspectors: the folder \"%s\" is another user's or open to "
                     "others; remove it, or set its mode to 0700.",
                     path);
      return -1;
    }
  return directory;
}

/* ---- files ---- */

static gboolean
write_all (int descriptor, const char *text, gsize size)
{
  while (size > 0)
    {
      gssize count = write (descriptor, text, size);
      if (count < 0 && errno == EINTR)
        continue;
      if (count <= 0)
        return FALSE;
      text += count;
      size -= (gsize) count;
    }
  return TRUE;
}

gboolean
ldb_runtime_directory_write (int directory, const char *name, const char *token, const char *text,
                             gsize size, GError **error)
{
  g_autofree char *new_name = g_strdup_printf (".%s-new", token);
  int file
      = openat (directory, new_name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (file < 0)
    {
      fail_in_folder (error, "the file cannot be made:", new_name);
      return FALSE;
    }
  gboolean written = write_all (file, text, size);
  written = close (file) == 0 && written;
  written = written && renameat (directory, new_name, directory, name) == 0;
  if (!written)
    {
      fail_in_folder (error, "the file cannot be written:", name);
      unlinkat (directory, new_name, 0);
    }
  return written;
}

/* FALSE: too large, or not to be read. */
static gboolean
read_whole (int file, char *text, gsize *size)
{
  gssize count;
  *size = 0;
  while ((count = read (file, text + *size, LDB_ADVERT_SIZE_MAX + 1 - *size)) != 0)
    {
      if (count < 0 && errno == EINTR)
        continue;
      if (count < 0)
        return FALSE;
      *size += (gsize) count;
      if (*size > LDB_ADVERT_SIZE_MAX)
        return FALSE;
    }
  return TRUE;
}

gboolean
ldb_runtime_directory_read_advert (int directory, const char *name, LdbAdvert *advert)
{
  char token[LDB_TOKEN_LENGTH + 1];
  guint object;
  gsize size;
  struct stat info;
  if (!ldb_advert_parse_file_name (name, token, &object))
    return FALSE;
  int file = openat (directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (file < 0)
    return FALSE;
  g_autofree char *text = g_malloc (LDB_ADVERT_SIZE_MAX + 1);
  gboolean read = fstat (file, &info) == 0 && S_ISREG (info.st_mode) && info.st_uid == geteuid ()
                  && read_whole (file, text, &size);
  close (file);
  if (!read || !ldb_advert_parse (advert, text, size))
    return FALSE;
  if (advert->object == object && strcmp (advert->token, token) == 0)
    return TRUE;
  ldb_advert_clear (advert);
  return FALSE;
}

/* All names; free them. */
static GPtrArray *
list_names (int directory)
{
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);
  int again = openat (directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *stream = again >= 0 ? fdopendir (again) : NULL;
  struct dirent *entry;
  while (stream != NULL && names->len < FILES_MAX && (entry = readdir (stream)) != NULL)
    g_ptr_array_add (names, g_strdup (entry->d_name));
  if (stream != NULL)
    closedir (stream);
  else if (again >= 0)
    close (again);
  return names;
}

GPtrArray *
ldb_runtime_directory_list (int directory)
{
  char token[LDB_TOKEN_LENGTH + 1];
  guint object;
  GPtrArray *names = list_names (directory);
  for (guint i = names->len; i > 0; i--)
    if (!ldb_advert_parse_file_name (g_ptr_array_index (names, i - 1), token, &object))
      g_ptr_array_remove_index_fast (names, i - 1);
  if (names->len > LDB_ADVERTS_MAX)
    g_ptr_array_set_size (names, LDB_ADVERTS_MAX);
  return names;
}

/* ---- the living ---- */

static char *
life_name (const char *token)
{
  return g_strconcat (token, LIFE_SUFFIX, NULL);
}

int
ldb_life_begin (int directory, const char *token, GError **error)
{
  g_autofree char *name = life_name (token);
  g_autofree char *new_name = g_strdup_printf (".%s", name);
  if (mkfifoat (directory, new_name, 0600) != 0)
    return fail_in_folder (error, "the FIFO cannot be made:", new_name);
  int life = openat (directory, new_name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (life >= 0 && flock (life, LOCK_EX | LOCK_NB) == 0
      && renameat (directory, new_name, directory, name) == 0)
    return life;
  fail_in_folder (error, "the FIFO cannot be used:", new_name);
  if (life >= 0)
    close (life);
  unlinkat (directory, new_name, 0);
  return -1;
}

/* The order matters: a FIFO hangs up for who opened it while the other side was there. */
int
ldb_life_watch (int directory, const char *token)
{
  g_autofree char *name = life_name (token);
  struct stat info;
  int life = openat (directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (life < 0)
    return -1;
  if (fstat (life, &info) == 0 && S_ISFIFO (info.st_mode) && flock (life, LOCK_SH | LOCK_NB) != 0
      && errno == EWOULDBLOCK)
    return life;
  close (life);
  return -1;
}

/* Removes the files whose tokens are in the set, each sign of life after all else. */
static void
remove_files_of (int directory, const GPtrArray *names, GHashTable *tokens)
{
  char token[LDB_TOKEN_LENGTH + 1];
  for (guint signs = 0; signs < 2; signs++)
    for (guint i = 0; i < names->len; i++)
      {
        const char *name = g_ptr_array_index (names, i);
        if (ldb_advert_token_of (name, token) && g_hash_table_contains (tokens, token)
            && g_str_has_suffix (name, LIFE_SUFFIX) == (signs == 1))
          unlinkat (directory, name, 0);
      }
}

void
ldb_life_remove_files (int directory, const char *token)
{
  g_autoptr (GPtrArray) names = list_names (directory);
  g_autoptr (GHashTable) tokens = g_hash_table_new (g_str_hash, g_str_equal);
  g_hash_table_add (tokens, (gpointer) token);
  remove_files_of (directory, names, tokens);
}

/* Whether a file that is being made may still become one. */
static gboolean
is_fresh (int directory, const char *name)
{
  struct stat info;
  return fstatat (directory, name, &info, AT_SYMLINK_NOFOLLOW) == 0
         && ABS (g_get_real_time () / G_USEC_PER_SEC - (gint64) info.st_ctime) < 60;
}

void
ldb_life_sweep (int directory)
{
  char token[LDB_TOKEN_LENGTH + 1];
  g_autoptr (GPtrArray) names = list_names (directory);
  g_autoptr (GHashTable) living = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GHashTable) dead = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  for (guint i = 0; i < names->len; i++)
    {
      const char *name = g_ptr_array_index (names, i);
      if (!ldb_advert_token_of (name, token) || g_hash_table_contains (living, token)
          || g_hash_table_contains (dead, token) || (name[0] == '.' && is_fresh (directory, name)))
        continue;
      int life = ldb_life_watch (directory, token);
      g_hash_table_add (life >= 0 ? living : dead, g_strdup (token));
      if (life >= 0)
        close (life);
    }
  remove_files_of (directory, names, dead);
}

/* ---- sockets ---- */

/* Through /proc, so that the folder's path may be longer than an address has room for. `name` is the
 * file's in the folder that the descriptor is of, or "": the descriptor is the socket's own. */
static gboolean
address_of (int descriptor, const char *name, struct sockaddr_un *address)
{
  *address = (struct sockaddr_un){ .sun_family = AF_UNIX };
  int length = g_snprintf (address->sun_path, sizeof address->sun_path, "/proc/self/fd/%d%s%s",
                           descriptor, name[0] != '\0' ? "/" : "", name);
  return length < (int) sizeof address->sun_path;
}

typedef int (*SocketCall) (int, const struct sockaddr *, socklen_t);

static int
open_socket (int place, const char *file, const char *name, SocketCall call, GError **error)
{
  struct sockaddr_un address;
  int descriptor = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor >= 0 && address_of (place, file, &address)
      && call (descriptor, (const struct sockaddr *) &address, sizeof address) == 0)
    return descriptor;
  fail_in_folder (error, "the socket cannot be used:", name);
  if (descriptor >= 0)
    close (descriptor);
  return -1;
}

int
ldb_runtime_directory_listen (int directory, const char *name, GError **error)
{
  int descriptor = open_socket (directory, name, name, bind, error);
  if (descriptor < 0)
    return -1;
  if (fchmodat (directory, name, 0600, 0) == 0 && listen (descriptor, BACKLOG) == 0)
    return descriptor;
  fail_in_folder (error, "the socket cannot be listened at:", name);
  close (descriptor);
  unlinkat (directory, name, 0);
  return -1;
}

int
ldb_runtime_directory_connect (int directory, const char *name, GError **error)
{
  /* The socket itself: connect() would follow a link out of the folder. */
  int place = openat (directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
  struct stat info;
  if (place < 0)
    return fail_in_folder (error, "the socket cannot be used:", name);
  int descriptor = -1;
  if (fstat (place, &info) == 0 && S_ISSOCK (info.st_mode))
    descriptor = open_socket (place, "", name, connect, error);
  else
    ldb_error_set (error, LDB_ERROR_IO,
                   "Sharing with inspectors: \"%s\" is no socket; it is not the application's.",
                   name);
  close (place);
  return descriptor;
}
