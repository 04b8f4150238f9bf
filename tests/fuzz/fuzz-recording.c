/* SPDX-License-Identifier: MIT */
/* Any bytes as a recording of the inspector, as they stand and as what a file unpacks to: refused, or taken,
 * and then written and taken again with the same result. */
#include "../check-condition.h"

#include "insp-recording.h"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

static void
check_same (InspSession *session)
{
  g_autoptr (GVariant) one = g_variant_ref_sink (insp_recording_new (session));
  g_autoptr (GBytes) written = insp_recording_pack (one, NULL);
  CHECK (written != NULL);
  g_autoptr (InspSession) again = insp_recording_read (written, NULL);
  CHECK (again != NULL);
  g_autoptr (GVariant) other = g_variant_ref_sink (insp_recording_new (again));
  CHECK (insp_session_get_recorded (session) == 0 || g_variant_equal (one, other));
}

static void
try_bytes (GBytes *bytes)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (InspSession) session = insp_recording_read (bytes, &error);
  CHECK ((session == NULL) == (error != NULL));
  if (session != NULL)
    check_same (session);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GBytes) bytes = g_bytes_new (data, size);
  g_autoptr (GVariant) recording
      = g_variant_ref_sink (g_variant_new_from_bytes (G_VARIANT_TYPE ("(sua{sv})"), bytes, FALSE));
  g_autoptr (GBytes) packed = insp_recording_pack (recording, NULL);
  CHECK (packed != NULL);
  try_bytes (bytes);
  try_bytes (packed);
  return 0;
}
