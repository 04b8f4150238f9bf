/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <glib/gi18n-lib.h>

#include "insp-recording.h"

#define FORMAT "lightning-db-recording"
#define VERSION_NOW 1u
#define TYPE "(sua{sv})"
#define SIZE_MOST ((gsize) 256 << 20) /* bytes, unpacked: a quarter of an hour takes 15 MB */
#define CHUNK_SIZE ((gsize) 256 << 10)

/* ---- writing ---- */

/* When its newest sample was taken, microseconds since 1970; without one, now. */
static gint64
moment_of (InspSession *session)
{
  InspHistory *history = insp_session_get_history (session);
  guint64 end = insp_history_get_end (history);
  if (insp_session_get_state (session) == INSP_SESSION_RECORDED)
    return insp_session_get_recorded (session);
  if (end == insp_history_get_first (history))
    return g_get_real_time ();
  return insp_axis_to_clock (insp_session_get_axis (session),
                             insp_history_get_time (history, end - 1));
}

GVariant *
insp_recording_new (InspSession *session)
{
  InspHistory *history = insp_session_get_history (session);
  GVariantBuilder seen;
  g_variant_builder_init (&seen, G_VARIANT_TYPE_VARDICT);
  g_variant_builder_add (&seen, "{sv}", "program",
                         g_variant_new_string (insp_session_get_program (session)));
  g_variant_builder_add (&seen, "{sv}", "path",
                         g_variant_new_bytestring (insp_session_get_path (session)));
  g_variant_builder_add (&seen, "{sv}", "saved", g_variant_new_int64 (moment_of (session)));
  g_variant_builder_add (&seen, "{sv}", "history", insp_history_to_variant (history));
  g_variant_builder_add (&seen, "{sv}", "events",
                         insp_seen_events_to_variant (insp_session_get_events (session)));
  g_variant_builder_add (&seen, "{sv}", "operations",
                         insp_seen_operations_to_variant (insp_session_get_operations (session)));
  InspWatchLog *log = insp_session_get_watches (session);
  g_variant_builder_add (&seen, "{sv}", "watches",
                         insp_seen_watches_to_variant (insp_watch_log_get_watches (log)));
  g_variant_builder_add (&seen, "{sv}", "deliveries",
                         insp_seen_deliveries_to_variant (insp_watch_log_get_deliveries (log)));
  return g_variant_new (TYPE, FORMAT, VERSION_NOW, &seen);
}

/* Sends bytes through a converter; what comes out is at most `most` bytes. */
static GBytes *
convert (GBytes *bytes, GConverter *converter, gsize most, GError **error)
{
  g_autoptr (GInputStream) memory = g_memory_input_stream_new_from_bytes (bytes);
  g_autoptr (GInputStream) stream = g_converter_input_stream_new (memory, converter);
  g_autoptr (GByteArray) out = g_byte_array_new ();
  g_autofree guint8 *chunk = g_malloc (CHUNK_SIZE);
  gssize got;
  while ((got = g_input_stream_read (stream, chunk, CHUNK_SIZE, NULL, error)) > 0)
    {
      if (out->len + (gsize) got > most)
        {
          g_set_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE,
                       _ ("The recording is larger than %zu MiB: that is none of this "
                          "program's."),
                       most >> 20);
          return NULL;
        }
      g_byte_array_append (out, chunk, (guint) got);
    }
  return got == 0 ? g_byte_array_free_to_bytes (g_steal_pointer (&out)) : NULL;
}

static GVariant *
swapped_if_needed (GVariant *variant)
{
  return G_BYTE_ORDER == G_LITTLE_ENDIAN ? g_variant_ref (variant) : g_variant_byteswap (variant);
}

GBytes *
insp_recording_pack (GVariant *recording, GError **error)
{
  g_autoptr (GVariant) written = swapped_if_needed (recording);
  g_autoptr (GBytes) plain = g_variant_get_data_as_bytes (written);
  g_autoptr (GZlibCompressor) gzip = g_zlib_compressor_new (G_ZLIB_COMPRESSOR_FORMAT_GZIP, -1);
  return convert (plain, G_CONVERTER (gzip), SIZE_MOST, error);
}

/* ---- reading ---- */

static GVariant *
fail (GError **error, GIOErrorEnum code, const char *text)
{
  g_set_error_literal (error, G_IO_ERROR, code, text);
  return NULL;
}

/* What was seen, of a file of a known version. */
static GVariant *
unpack (GBytes *bytes, GError **error)
{
  const char *format;
  guint32 version;
  g_autoptr (GVariant) seen = NULL;
  g_autoptr (GError) broken = NULL;
  g_autoptr (GZlibDecompressor) gzip = g_zlib_decompressor_new (G_ZLIB_COMPRESSOR_FORMAT_GZIP);
  g_autoptr (GBytes) plain = convert (bytes, G_CONVERTER (gzip), SIZE_MOST, &broken);
  if (g_error_matches (broken, G_IO_ERROR, G_IO_ERROR_NO_SPACE))
    {
      g_propagate_error (error, g_steal_pointer (&broken));
      return NULL;
    }
  if (plain == NULL)
    return fail (error, G_IO_ERROR_INVALID_DATA,
                 _ ("That is no recording of this program, or a part of one."));
  g_autoptr (GVariant) read
      = g_variant_ref_sink (g_variant_new_from_bytes (G_VARIANT_TYPE (TYPE), plain, FALSE));
  if (!g_variant_is_normal_form (read))
    return fail (error, G_IO_ERROR_INVALID_DATA,
                 _ ("That is no recording of this program, or a part of one."));
  g_autoptr (GVariant) recording = swapped_if_needed (read);
  g_variant_get (recording, "(&su@a{sv})", &format, &version, &seen);
  if (!g_str_equal (format, FORMAT))
    return fail (error, G_IO_ERROR_INVALID_DATA,
                 _ ("That is no recording of this program, or a part of one."));
  if (version > VERSION_NOW)
    return fail (
        error, G_IO_ERROR_NOT_SUPPORTED,
        _ ("A later version of this program made the recording. Install it to look at that."));
  return g_steal_pointer (&seen);
}

/* What there is of a kind: nothing, in a recording that was made earlier. */
static GPtrArray *
take_kind (GVariant *seen, const char *name, const char *type,
           GPtrArray *(*understand) (GVariant *, GError **), GError **error)
{
  g_autoptr (GVariant) all = g_variant_lookup_value (seen, name, G_VARIANT_TYPE (type));
  return all != NULL ? understand (all, error) : g_ptr_array_new ();
}

static GPtrArray *
take_watches (GVariant *seen, GError **error)
{
  g_autoptr (GVariant) earlier
      = g_variant_lookup_value (seen, "watches", G_VARIANT_TYPE (INSP_EARLIER_WATCHES_TYPE));
  return earlier != NULL ? insp_seen_watches_from_variant (earlier, error)
                         : take_kind (seen, "watches", INSP_WATCHES_TYPE,
                                      insp_seen_watches_from_variant, error);
}

static gboolean
take_seen (InspSession *session, GVariant *seen, GError **error)
{
  InspWatchLog *log = insp_session_get_watches (session);
  g_autoptr (GPtrArray) events
      = take_kind (seen, "events", INSP_EVENTS_TYPE, insp_seen_events_from_variant, error);
  if (events == NULL)
    return FALSE;
  g_autoptr (GPtrArray) operations = take_kind (seen, "operations", INSP_OPERATIONS_TYPE,
                                                insp_seen_operations_from_variant, error);
  if (operations == NULL)
    return FALSE;
  g_autoptr (GPtrArray) watches = take_watches (seen, error);
  if (watches == NULL)
    return FALSE;
  g_autoptr (GPtrArray) deliveries = take_kind (seen, "deliveries", INSP_DELIVERIES_TYPE,
                                                insp_seen_deliveries_from_variant, error);
  if (deliveries == NULL)
    return FALSE;
  insp_seen_add_events (insp_session_get_events (session), events);
  insp_seen_add_operations (insp_session_get_operations (session), operations);
  insp_watch_log_set_watches (log, watches);
  insp_watch_log_add (log, deliveries);
  return TRUE;
}

InspSession *
insp_recording_read (GBytes *bytes, GError **error)
{
  g_autoptr (GVariant) seen = unpack (bytes, error);
  if (seen == NULL)
    return NULL;
  const char *program = "", *path = "";
  gint64 saved = 0;
  g_variant_lookup (seen, "program", "&s", &program);
  g_variant_lookup (seen, "path", "^&ay", &path);
  if (g_variant_lookup (seen, "saved", "x", &saved) && (saved < 0 || saved > INSP_CLOCK_MOST))
    saved = 0; /* no clock says so */
  g_autoptr (GVariant) kept
      = g_variant_lookup_value (seen, "history", G_VARIANT_TYPE (INSP_HISTORY_TYPE));
  if (kept == NULL)
    {
      fail (error, G_IO_ERROR_INVALID_DATA, _ ("The recording has nothing in it."));
      return NULL;
    }
  g_autoptr (InspHistory) history = insp_history_new_from_variant (kept, error);
  if (history == NULL)
    return NULL;
  g_autoptr (InspSession) session = insp_session_new_recorded (program, path, history, saved);
  return take_seen (session, seen, error) ? g_steal_pointer (&session) : NULL;
}
