/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "ldb-change-set-private.h"

/**
 * LdbChangeSet:
 *
 * The changes that a [class@Ldb.Watch] tells at once, or those of one commit that a
 * [class@Ldb.Feed] has read.
 *
 * A set of a watch leads from the commit [property@Ldb.ChangeSet:since] to
 * [property@Ldb.ChangeSet:sequence] and has what became of each key: whichever order they are
 * applied in, the outcome is the state that [property@Ldb.ChangeSet:snapshot] shows. It has whole
 * commits only. A set of a feed has the operations of a commit, to be applied in their order.
 *
 * ```c
 * for (guint i = 0; i < ldb_change_set_get_n_changes (changes); i++)
 *   {
 *     LdbChange *change = ldb_change_set_get_change (changes, i);
 *     g_autofree char *key = ldb_change_dup_key_string (change);
 *     g_print ("%s\n", key);
 *   }
 * ```
 *
 * A set never changes. Threads: any; the snapshot is to be asked for in the signal handler.
 *
 * Since: 0.1
 */
struct _LdbChangeSet
{
  GObject parent_instance;

  LdbDatabase *database; /* owned; NULL: another process told it */
  GPtrArray *changes;    /* of LdbChange; owned */
  guint64 since;         /* the commit before the first */
  guint64 sequence;      /* the last commit */
  gboolean resync;       /* nothing but this is known */
  LdbFrame *frame;       /* until the handler has returned; NULL of a feed; owned */
  LdbSnapshot *snapshot; /* once it was asked for; owned */
};

G_DEFINE_FINAL_TYPE (LdbChangeSet, ldb_change_set, G_TYPE_OBJECT)

enum
{
  PROP_N_CHANGES = 1,
  PROP_SINCE,
  PROP_SEQUENCE,
  PROP_RESYNC,
  PROP_SNAPSHOT,
  N_PROPERTIES,
};

static GParamSpec *properties[N_PROPERTIES];

static void
ldb_change_set_finalize (GObject *object)
{
  LdbChangeSet *self = LDB_CHANGE_SET (object);
  g_clear_pointer (&self->changes, g_ptr_array_unref);
  g_clear_pointer (&self->frame, ldb_frame_unref);
  g_clear_object (&self->snapshot);
  g_clear_object (&self->database);
  G_OBJECT_CLASS (ldb_change_set_parent_class)->finalize (object);
}

static void
ldb_change_set_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  LdbChangeSet *self = LDB_CHANGE_SET (object);
  switch (id)
    {
    case PROP_N_CHANGES:
      g_value_set_uint (value, ldb_change_set_get_n_changes (self));
      break;
    case PROP_SINCE:
      g_value_set_uint64 (value, self->since);
      break;
    case PROP_SEQUENCE:
      g_value_set_uint64 (value, self->sequence);
      break;
    case PROP_RESYNC:
      g_value_set_boolean (value, self->resync);
      break;
    case PROP_SNAPSHOT:
      g_value_take_object (value, ldb_change_set_get_snapshot (self));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
ldb_change_set_class_init (LdbChangeSetClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;
  object_class->finalize = ldb_change_set_finalize;
  object_class->get_property = ldb_change_set_get_property;

  /**
   * LdbChangeSet:n-changes:
   *
   * How many changes there are.
   *
   * Since: 0.1
   */
  properties[PROP_N_CHANGES] = g_param_spec_uint ("n-changes", NULL, NULL, 0, G_MAXUINT, 0, flags);
  /**
   * LdbChangeSet:since:
   *
   * The commit before those of the set.
   *
   * Since: 0.1
   */
  properties[PROP_SINCE] = g_param_spec_uint64 ("since", NULL, NULL, 0, G_MAXUINT64, 0, flags);
  /**
   * LdbChangeSet:sequence:
   *
   * The last commit of the set.
   *
   * Since: 0.1
   */
  properties[PROP_SEQUENCE]
      = g_param_spec_uint64 ("sequence", NULL, NULL, 0, G_MAXUINT64, 0, flags);
  /**
   * LdbChangeSet:resync:
   *
   * Whether it is not known what changed, so that all that is watched has to be read anew.
   *
   * Since: 0.1
   */
  properties[PROP_RESYNC] = g_param_spec_boolean ("resync", NULL, NULL, FALSE, flags);
  /**
   * LdbChangeSet:snapshot:
   *
   * The state after the last commit of the set; see [method@Ldb.ChangeSet.get_snapshot].
   *
   * Since: 0.1
   */
  properties[PROP_SNAPSHOT]
      = g_param_spec_object ("snapshot", NULL, NULL, LDB_TYPE_SNAPSHOT, flags);
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);
}

static void
ldb_change_set_init (LdbChangeSet *self)
{
}

LdbChangeSet *
ldb_change_set_new_for_frame (LdbDatabase *database, LdbFrame *frame)
{
  LdbChangeSet *self = g_object_new (LDB_TYPE_CHANGE_SET, NULL);
  self->database = g_object_ref (database);
  self->changes = g_ptr_array_ref (frame->changes);
  self->since = frame->since;
  self->sequence = frame->sequence;
  self->resync = frame->resync;
  self->frame = ldb_frame_ref (frame);
  return self;
}

LdbChangeSet *
ldb_change_set_new_for_commit (LdbDatabase *database, guint64 sequence, GPtrArray *changes)
{
  LdbChangeSet *self = g_object_new (LDB_TYPE_CHANGE_SET, NULL);
  self->database = g_object_ref (database);
  self->changes = changes;
  self->since = sequence - 1;
  self->sequence = sequence;
  return self;
}

LdbChangeSet *
ldb_change_set_new_told (guint64 since, guint64 sequence, gboolean resync, GPtrArray *changes)
{
  LdbChangeSet *self = g_object_new (LDB_TYPE_CHANGE_SET, NULL);
  self->changes = changes;
  self->since = since;
  self->sequence = sequence;
  self->resync = resync;
  return self;
}

void
ldb_change_set_let_go (LdbChangeSet *self)
{
  g_clear_pointer (&self->frame, ldb_frame_unref);
}

/**
 * ldb_change_set_get_n_changes:
 * @self: a change set
 *
 * Gets how many changes there are.
 *
 * Any thread.
 *
 * Returns: their number
 *
 * Since: 0.1
 */
guint
ldb_change_set_get_n_changes (LdbChangeSet *self)
{
  g_return_val_if_fail (LDB_IS_CHANGE_SET (self), 0);
  return self->changes != NULL ? self->changes->len : 0;
}

/**
 * ldb_change_set_get_change:
 * @self: a change set
 * @position: which one, from 0
 *
 * Gets one change.
 *
 * Any thread.
 *
 * Returns: (transfer none) (nullable): the change; %NULL when there are not so many
 *
 * Since: 0.1
 */
LdbChange *
ldb_change_set_get_change (LdbChangeSet *self, guint position)
{
  g_return_val_if_fail (LDB_IS_CHANGE_SET (self), NULL);
  return position < ldb_change_set_get_n_changes (self)
             ? g_ptr_array_index (self->changes, position)
             : NULL;
}

static gpointer
reference (gconstpointer change, gpointer data)
{
  return ldb_change_ref ((LdbChange *) change);
}

/**
 * ldb_change_set_list:
 * @self: a change set
 *
 * Gets all changes, as languages with arrays of their own like to have them.
 *
 * Any thread.
 *
 * Returns: (transfer container) (element-type LdbChange): the changes
 *
 * Since: 0.1
 */
GPtrArray *
ldb_change_set_list (LdbChangeSet *self)
{
  g_return_val_if_fail (LDB_IS_CHANGE_SET (self), NULL);
  GPtrArray *list = self->changes != NULL ? g_ptr_array_copy (self->changes, reference, NULL)
                                          : g_ptr_array_new ();
  g_ptr_array_set_free_func (list, (GDestroyNotify) ldb_change_unref);
  return list;
}

/**
 * ldb_change_set_get_since:
 * @self: a change set
 *
 * Gets the sequence number of the commit before those of the set; 0 when everything has to be read
 * anew.
 *
 * Any thread.
 *
 * Returns: the sequence number, below 2^53
 *
 * Since: 0.1
 */
guint64
ldb_change_set_get_since (LdbChangeSet *self)
{
  g_return_val_if_fail (LDB_IS_CHANGE_SET (self), 0);
  return self->since;
}

/**
 * ldb_change_set_get_sequence:
 * @self: a change set
 *
 * Gets the sequence number of its last commit. Whoever has handled the set knows all up to here.
 *
 * Any thread.
 *
 * Returns: the sequence number, below 2^53
 *
 * Since: 0.1
 */
guint64
ldb_change_set_get_sequence (LdbChangeSet *self)
{
  g_return_val_if_fail (LDB_IS_CHANGE_SET (self), 0);
  return self->sequence;
}

/**
 * ldb_change_set_get_resync:
 * @self: a change set
 *
 * Whether it is not known what changed: more than [property@Ldb.Watch:max-changes] keys did before
 * the last set was handled, or the changes could not be read. All that is watched has to be read
 * anew, best in the snapshot; the only change is of the kind %LDB_CHANGE_RESYNC.
 *
 * Any thread.
 *
 * Returns: %TRUE if everything has to be read anew
 *
 * Since: 0.1
 */
gboolean
ldb_change_set_get_resync (LdbChangeSet *self)
{
  g_return_val_if_fail (LDB_IS_CHANGE_SET (self), FALSE);
  return self->resync;
}

/**
 * ldb_change_set_get_snapshot:
 * @self: a change set of a watch
 *
 * Gets the state after its last commit: what a handler reads in it is just what it was told,
 * whatever was written since.
 *
 * A handler that has use for it asks before it returns. It may then be kept, and is to be
 * [closed][method@Ldb.Snapshot.close] when it is no longer needed. Whoever asks first afterwards
 * gets %NULL.
 *
 * Does not block; in the handler.
 *
 * Returns: (transfer full) (nullable): the snapshot
 *
 * Since: 0.1
 */
LdbSnapshot *
ldb_change_set_get_snapshot (LdbChangeSet *self)
{
  g_return_val_if_fail (LDB_IS_CHANGE_SET (self), NULL);
  if (self->snapshot == NULL && self->frame != NULL && self->database != NULL)
    self->snapshot = ldb_snapshot_new_for_pin (self->database, self->frame->after);
  return self->snapshot != NULL ? g_object_ref (self->snapshot) : NULL;
}
