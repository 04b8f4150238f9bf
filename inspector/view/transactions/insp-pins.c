/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <glib/gi18n-lib.h>

#include "insp-pins.h"
#include "insp-unit.h"

#define NAMED_MAX 20 /* transactions of one state: more are no text that anybody reads */

void
insp_pin_free (InspPin *self)
{
  g_array_unref (self->transactions);
  g_free (self);
}

static InspPin *
pin_new (const LdbHeldSnapshot *snapshot, InspRowList *transactions)
{
  InspPin *self = g_new (InspPin, 1);
  const LdbActiveTransaction *transaction;
  *self = (InspPin){ .snapshot = *snapshot,
                     .transactions = g_array_new (FALSE, FALSE, sizeof (guint64)) };
  for (guint i = 0; (transaction = insp_row_list_get (transactions, i)) != NULL; i++)
    if (transaction->snapshot == snapshot->sequence)
      g_array_append_val (self->transactions, transaction->id);
  return self;
}

static int
compare_sequences (gconstpointer first, gconstpointer second)
{
  const InspPin *a = *(const InspPin *const *) first, *b = *(const InspPin *const *) second;
  return (a->snapshot.sequence > b->snapshot.sequence)
         - (a->snapshot.sequence < b->snapshot.sequence);
}

GPtrArray *
insp_pins_of (GPtrArray *snapshots, InspRowList *transactions)
{
  GPtrArray *pins = g_ptr_array_new_with_free_func ((GDestroyNotify) insp_pin_free);
  for (guint i = 0; i < snapshots->len; i++)
    g_ptr_array_add (pins, pin_new (g_ptr_array_index (snapshots, i), transactions));
  g_ptr_array_sort (pins, compare_sequences);
  return pins;
}

char *
insp_pin_format_transactions (const InspPin *self)
{
  guint count = self->transactions->len;
  GString *text = g_string_new (count == 0 ? "–" : NULL);
  for (guint i = 0; i < MIN (count, NAMED_MAX); i++)
    g_string_append_printf (text, "%s%" G_GUINT64_FORMAT, i > 0 ? ", " : "",
                            g_array_index (self->transactions, guint64, i));
  if (count > NAMED_MAX)
    g_string_append (text, ", …");
  return g_string_free (text, FALSE);
}

/* Who reads there: transactions, and whatever else the application holds. */
static char *
describe_holders (const InspPin *self)
{
  guint known = self->transactions->len;
  guint64 others = self->snapshot.holders > known ? self->snapshot.holders - known : 0;
  g_autofree char *numbers = insp_pin_format_transactions (self);
  g_autofree char *count = insp_unit_format (INSP_UNIT_COUNT, (double) others);
  if (known == 0)
    return g_strdup_printf (
        g_dngettext (
            GETTEXT_PACKAGE, "%s reader holds it: a snapshot, a cursor or a read-only transaction.",
            "%s readers hold it: snapshots, cursors or read-only transactions.", (gulong) others),
        count);
  g_autofree char *transactions
      = g_strdup_printf (g_dngettext (GETTEXT_PACKAGE, "Transaction %s reads there",
                                      "Transactions %s read there", known),
                         numbers);
  if (others == 0)
    return g_strdup_printf ("%s.", transactions);
  /* Translators: “Transaction 5 reads there”, and the number of other readers */
  return g_strdup_printf (g_dngettext (GETTEXT_PACKAGE, "%s, and %s other reader.",
                                       "%s, and %s other readers.", (gulong) others),
                          transactions, count);
}

char *
insp_pin_describe (const InspPin *self)
{
  g_autofree char *holders = describe_holders (self);
  g_autofree char *behind = insp_unit_format (INSP_UNIT_COUNT, (double) self->snapshot.behind);
  if (self->snapshot.behind == 0)
    /* Translators: %s is a sentence that says who reads it. */
    return g_strdup_printf (_ ("What is read is the newest state. %s"), holders);
  /* Translators: the number of commits, and a sentence that says who reads there. */
  return g_strdup_printf (g_dngettext (GETTEXT_PACKAGE,
                                       "The oldest state that is read is %s commit back. %s What "
                                       "was overwritten since is kept.",
                                       "The oldest state that is read is %s commits back. %s What "
                                       "was overwritten since is kept.",
                                       (gulong) self->snapshot.behind),
                          behind, holders);
}
