/* SPDX-License-Identifier: MIT */
/*
 * The forms in which a value is shown.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  INSP_VALUE_TEXT,
  INSP_VALUE_HEX,
  INSP_VALUE_JSON,
  INSP_VALUE_DOCUMENT, /* a GVariant as ldb_database_put_variant() stores it */
  INSP_VALUE_IMAGE,
} InspValueForm;

/* The form that suits it best. `whole` FALSE: it is the beginning of a value. */
InspValueForm insp_value_form_guess (GBytes *value, gboolean whole);

/* The value in a form, as text. NULL: it is nothing of the kind (or an image). Free it. */
char *insp_value_form_print (InspValueForm form, GBytes *value, gboolean whole);

/* Whether the value begins as an image does. */
gboolean insp_value_form_is_image (GBytes *value);

G_END_DECLS
