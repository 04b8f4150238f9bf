/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <string.h>

#include "insp-bytes.h"
#include "insp-diff.h"
#include "insp-value-form.h"

#define CONTEXT 2u /* lines that are shown around what differs */
#define CELLS_MAX                                                                                  \
  1000000u                /* of the table of common lines; beyond it all lines count as different */
#define DUMP_WIDTH 8u     /* bytes of a line: it fits beside a list */
#define VALUE_MAX 131072u /* bytes that are compared */
#define LINE_SHOWN 400u   /* bytes of a line that are shown */

static void
line_free (gpointer data)
{
  InspDiffLine *line = data;
  g_free (line->text);
  g_free (line);
}

static void
add (GPtrArray *lines, InspDiffKind kind, const char *text)
{
  InspDiffLine *line = g_new (InspDiffLine, 1);
  *line = (InspDiffLine){ .kind = kind, .text = g_strdup (text) };
  g_ptr_array_add (lines, line);
}

/* ---- lines ---- */

/* `lengths[i * (m + 1) + j]` is how many lines old[i…] and new[j…] have in common, in order. */
static guint32 *
count_common (char **old, guint n, char **new, guint m)
{
  guint32 *lengths = g_new0 (guint32, (gsize) (n + 1) * (m + 1));
  for (guint i = n; i-- > 0;)
    for (guint j = m; j-- > 0;)
      {
        guint32 *cell = &lengths[(gsize) i * (m + 1) + j];
        guint32 below = cell[m + 1], beside = cell[1];
        *cell = g_str_equal (old[i], new[j]) ? cell[m + 2] + 1 : MAX (below, beside);
      }
  return lengths;
}

static void
compare_middle (GPtrArray *lines, char **old, guint n, char **new, guint m)
{
  guint i = 0, j = 0;
  gboolean small = (guint64) (n + 1) * (m + 1) <= CELLS_MAX;
  g_autofree guint32 *lengths = small ? count_common (old, n, new, m) : NULL;
  while (i < n || j < m)
    {
      const guint32 *cell = small ? &lengths[(gsize) i * (m + 1) + j] : NULL;
      if (i < n && j < m && g_str_equal (old[i], new[j]))
        {
          add (lines, INSP_DIFF_SAME, old[i++]);
          j++;
        }
      else if (i < n && (j == m || cell == NULL || cell[m + 1] >= cell[1]))
        add (lines, INSP_DIFF_OLD, old[i++]);
      else
        add (lines, INSP_DIFF_NEW, new[j++]);
    }
}

static gboolean
is_near (GPtrArray *lines, guint index)
{
  guint first = index > CONTEXT ? index - CONTEXT : 0;
  for (guint i = first; i < lines->len && i <= index + CONTEXT; i++)
    if (((InspDiffLine *) lines->pdata[i])->kind != INSP_DIFF_SAME)
      return TRUE;
  return FALSE;
}

/* Leaves out what is the same, but around what is not. */
static GPtrArray *
abridge (GPtrArray *lines)
{
  GPtrArray *kept = g_ptr_array_new_with_free_func (line_free);
  gboolean skipping = FALSE;
  for (guint i = 0; i < lines->len; i++)
    {
      const InspDiffLine *line = lines->pdata[i];
      gboolean near = is_near (lines, i);
      if (near)
        add (kept, line->kind, line->text);
      else if (!skipping)
        add (kept, INSP_DIFF_SKIPPED, NULL);
      skipping = !near;
    }
  return kept;
}

/* ---- long lines ---- */

static gsize
common_length (const char *a, const char *b)
{
  gsize length = 0;
  while (a[length] != '\0' && a[length] == b[length])
    length++;
  return length;
}

static const char *
character_at (const char *text, gsize offset)
{
  while ((text[offset] & 0xc0) == 0x80)
    offset--;
  return text + offset;
}

/* To what is around a place in it. */
static void
shorten (InspDiffLine *line, gsize place)
{
  gsize size = line->text != NULL ? strlen (line->text) : 0;
  if (size <= LINE_SHOWN)
    return;
  gsize from = MIN (place > LINE_SHOWN / 4 ? place - LINE_SHOWN / 4 : 0, size - LINE_SHOWN);
  const char *begin = character_at (line->text, from);
  const char *end = character_at (line->text, from + LINE_SHOWN);
  char *text = g_strdup_printf ("%s%.*s%s", from > 0 ? "…" : "", (int) (end - begin), begin,
                                *end != '\0' ? "…" : "");
  g_free (line->text);
  line->text = text;
}

static guint
end_of_kind (GPtrArray *lines, guint index, InspDiffKind kind)
{
  while (index < lines->len && ((InspDiffLine *) lines->pdata[index])->kind == kind)
    index++;
  return index;
}

/* Labels lay out the whole of their text for each of the widths that they try, which takes minutes for a
 * line of a megabyte. Of an old line and a new one the same part is shown, where they begin to differ. */
static GPtrArray *
shorten_all (GPtrArray *lines)
{
  for (guint i = 0; i < lines->len;)
    {
      guint middle = end_of_kind (lines, i, INSP_DIFF_OLD);
      guint end = end_of_kind (lines, middle, INSP_DIFF_NEW);
      for (guint old = i, new = middle; old < middle && new < end; old++, new++)
        {
          InspDiffLine *before = lines->pdata[old], *after = lines->pdata[new];
          gsize place = common_length (before->text, after->text);
          shorten (before, place);
          shorten (after, place);
        }
      for (guint rest = i; rest < MAX (end, i + 1); rest++)
        shorten (lines->pdata[rest], 0);
      i = MAX (end, i + 1);
    }
  return lines;
}

GPtrArray *
insp_diff_compare (const char *old, const char *new)
{
  g_auto (GStrv) before = g_strsplit (old, "\n", -1), after = g_strsplit (new, "\n", -1);
  g_autoptr (GPtrArray) lines = g_ptr_array_new_with_free_func (line_free);
  guint n = g_strv_length (before), m = g_strv_length (after), head = 0, tail = 0;
  while (head < n && head < m && g_str_equal (before[head], after[head]))
    add (lines, INSP_DIFF_SAME, before[head++]);
  while (tail < n - head && tail < m - head
         && g_str_equal (before[n - tail - 1], after[m - tail - 1]))
    tail++;
  compare_middle (lines, before + head, n - head - tail, after + head, m - head - tail);
  for (guint i = n - tail; i < n; i++)
    add (lines, INSP_DIFF_SAME, before[i]);
  return shorten_all (abridge (lines));
}

/* ---- values ---- */

static GBytes *
beginning (GBytes *value)
{
  return value != NULL
             ? g_bytes_new_from_bytes (value, 0, MIN (g_bytes_get_size (value), VALUE_MAX))
             : NULL;
}

static gboolean
suits (GBytes *value, InspValueForm form)
{
  gboolean whole = value == NULL || g_bytes_get_size (value) < VALUE_MAX;
  if (value == NULL)
    return TRUE;
  if (form == INSP_VALUE_TEXT)
    return insp_bytes_are_text (value, whole);
  return insp_value_form_guess (value, whole) == form;
}

static char *
print (GBytes *value, InspValueForm form)
{
  gboolean whole = value != NULL && g_bytes_get_size (value) < VALUE_MAX;
  if (value == NULL)
    return g_strdup ("");
  if (form == INSP_VALUE_HEX)
    return g_strchomp (insp_bytes_dump_in (value, DUMP_WIDTH));
  return insp_value_form_print (form, value, whole);
}

/* One of them is no value, which has no line, not an empty one. */
static GPtrArray *
all_as (const char *text, InspDiffKind kind)
{
  g_auto (GStrv) parts = g_strsplit (text, "\n", -1);
  GPtrArray *lines = g_ptr_array_new_with_free_func (line_free);
  if (parts[0] == NULL) /* an empty value */
    add (lines, kind, "");
  for (guint i = 0; parts[i] != NULL; i++)
    add (lines, kind, parts[i]);
  return shorten_all (lines);
}

GPtrArray *
insp_diff_compare_values (GBytes *old, GBytes *new)
{
  static const InspValueForm forms[] = { INSP_VALUE_JSON, INSP_VALUE_TEXT };
  InspValueForm form = INSP_VALUE_HEX;
  g_autoptr (GBytes) before = beginning (old), after = beginning (new);
  for (guint i = G_N_ELEMENTS (forms); i-- > 0;)
    if (suits (before, forms[i]) && suits (after, forms[i]))
      form = forms[i];
  g_autofree char *before_text = print (before, form), *after_text = print (after, form);
  /* What differs in white space alone. */
  if (form == INSP_VALUE_JSON && before != NULL && after != NULL
      && g_str_equal (before_text, after_text))
    {
      g_free (before_text);
      g_free (after_text);
      before_text = print (before, INSP_VALUE_TEXT);
      after_text = print (after, INSP_VALUE_TEXT);
    }
  if (before == NULL)
    return all_as (after_text, INSP_DIFF_NEW);
  if (after == NULL)
    return all_as (before_text, INSP_DIFF_OLD);
  return insp_diff_compare (before_text, after_text);
}
