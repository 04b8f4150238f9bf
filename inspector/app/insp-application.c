/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <glib/gi18n.h>

#include "insp-application.h"
#include "insp-recorder.h"
#include "insp-window.h"

struct _InspApplication
{
  AdwApplication parent_instance;
};

G_DEFINE_FINAL_TYPE (InspApplication, insp_application, ADW_TYPE_APPLICATION)

static InspWindow *
new_window (InspApplication *self)
{
  return INSP_WINDOW (insp_window_new (GTK_APPLICATION (self)));
}

static void
insp_application_activate (GApplication *application)
{
  GtkWindow *window = gtk_application_get_active_window (GTK_APPLICATION (application));
  if (window == NULL)
    window = GTK_WINDOW (new_window (INSP_APPLICATION (application)));
  gtk_window_present (window);
}

static void
insp_application_open (GApplication *application, GFile **files, int file_count, const char *hint)
{
  for (int i = 0; i < file_count; i++)
    {
      InspWindow *window = new_window (INSP_APPLICATION (application));
      gtk_window_present (GTK_WINDOW (window));
      if (insp_recorder_knows (files[i]))
        insp_recorder_open (window, files[i]);
      else
        insp_window_open_folder (window, files[i]);
    }
}

/* One may take others with it: dialogs are windows, too. */
static void
on_quit (GSimpleAction *action, GVariant *parameter, gpointer application)
{
  g_autolist (GObject) windows = g_list_copy_deep (gtk_application_get_windows (application),
                                                   (GCopyFunc) (gpointer) g_object_ref, NULL);
  for (GList *its = windows; its != NULL; its = its->next)
    if (gtk_window_get_application (its->data) != NULL)
      gtk_window_close (its->data);
}

static void
on_new_window (GSimpleAction *action, GVariant *parameter, gpointer application)
{
  gtk_window_present (GTK_WINDOW (new_window (application)));
}

static void
on_demo (GSimpleAction *action, GVariant *parameter, gpointer application)
{
  InspWindow *window = new_window (application);
  gtk_window_present (GTK_WINDOW (window));
  g_action_group_activate_action (G_ACTION_GROUP (window), "demo", NULL);
}

static int
insp_application_handle_local_options (GApplication *application, GVariantDict *options)
{
  g_autoptr (GError) error = NULL;
  if (!g_variant_dict_contains (options, "demo"))
    return -1; /* as usual */
  if (!g_application_register (application, NULL, &error))
    {
      g_printerr ("%s\n", error->message);
      return 1;
    }
  g_action_group_activate_action (G_ACTION_GROUP (application), "demo", NULL);
  return -1;
}

static void
on_about (GSimpleAction *action, GVariant *parameter, gpointer application)
{
  adw_show_about_window (gtk_application_get_active_window (application), "application-name",
                         _ ("Database Inspector"), "application-icon", APPLICATION_ID, "version",
                         VERSION, "license-type", GTK_LICENSE_MIT_X11, "comments",
                         _ ("See what a Lightning DB database does."), NULL);
}

/* The guide in the manual, where that is installed. Freed; NULL: it is not. */
static char *
find_guide (void)
{
  const char *const *directories = g_get_system_data_dirs ();
  for (; *directories != NULL; directories++)
    {
      g_autofree char *path
          = g_build_filename (*directories, "doc", "Ldb-1", "inspector.html", NULL);
      if (g_file_test (path, G_FILE_TEST_EXISTS))
        return g_filename_to_uri (path, NULL, NULL);
    }
  return NULL;
}

static void
on_help (GSimpleAction *action, GVariant *parameter, gpointer application)
{
  g_autofree char *guide = find_guide ();
  if (guide != NULL)
    gtk_show_uri (gtk_application_get_active_window (application), guide, GDK_CURRENT_TIME);
}

/* Without a guide F1 shows the keys, as Ctrl+? does. */
static void
review_help (InspApplication *self)
{
  static const char *const guide_keys[] = { "F1", NULL }, *const both[]
                                                          = { "<Control>question", "F1", NULL };
  g_autofree char *guide = find_guide ();
  GAction *help = g_action_map_lookup_action (G_ACTION_MAP (self), "help");
  g_simple_action_set_enabled (G_SIMPLE_ACTION (help), guide != NULL);
  if (guide != NULL)
    gtk_application_set_accels_for_action (GTK_APPLICATION (self), "app.help", guide_keys);
  else
    gtk_application_set_accels_for_action (GTK_APPLICATION (self), "win.show-help-overlay", both);
}

void
insp_application_add_menu (GtkMenuButton *button)
{
  GtkApplication *application = GTK_APPLICATION (g_application_get_default ());
  gtk_menu_button_set_menu_model (
      button, G_MENU_MODEL (gtk_application_get_menu_by_id (application, "primary")));
}

static void
insp_application_startup (GApplication *application)
{
  static const GActionEntry actions[] = {
    { .name = "quit", .activate = on_quit },   { .name = "new-window", .activate = on_new_window },
    { .name = "demo", .activate = on_demo },   { .name = "help", .activate = on_help },
    { .name = "about", .activate = on_about },
  };
  static const struct
  {
    const char *action;
    const char *keys[3];
  } keys[] = {
    { "app.quit", { "<Control>q" } },
    { "app.new-window", { "<Control>n" } },
    { "win.open", { "<Control>o" } },
    { "win.record", { "<Control>r" } },
    { "win.open-recording", { "<Control><Shift>o" } },
    { "win.paused", { "space" } },
    { "win.greeter", { "<Alt>Home" } },
    { "window.close", { "<Control>w" } },
    { "win.show-help-overlay", { "<Control>question" } },
    { "win.page(1)", { "<Alt>1" } },
    { "win.page(2)", { "<Alt>2" } },
    { "win.page(3)", { "<Alt>3" } },
    { "win.page(4)", { "<Alt>4" } },
    { "win.page(5)", { "<Alt>5" } },
    { "win.page(6)", { "<Alt>6" } },
    { "win.page(7)", { "<Alt>7" } },
    { "win.page(8)", { "<Alt>8" } },
    { "win.page(9)", { "<Alt>9" } },
    { "win.page(10)", { "<Alt>0" } },
  };
  G_APPLICATION_CLASS (insp_application_parent_class)->startup (application);
  g_action_map_add_action_entries (G_ACTION_MAP (application), actions, G_N_ELEMENTS (actions),
                                   application);
  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    gtk_application_set_accels_for_action (GTK_APPLICATION (application), keys[i].action,
                                           (const char *const *) keys[i].keys);
  review_help (INSP_APPLICATION (application));
}

static void
insp_application_class_init (InspApplicationClass *class)
{
  GApplicationClass *application_class = G_APPLICATION_CLASS (class);
  application_class->activate = insp_application_activate;
  application_class->open = insp_application_open;
  application_class->startup = insp_application_startup;
  application_class->handle_local_options = insp_application_handle_local_options;
}

static void
insp_application_init (InspApplication *self)
{
  g_application_add_main_option (G_APPLICATION (self), "demo", 0, 0, G_OPTION_ARG_NONE,
                                 N_ ("Show a database to try"), NULL);
}

InspApplication *
insp_application_new (void)
{
  return g_object_new (INSP_TYPE_APPLICATION, "application-id", APPLICATION_ID, "flags",
                       G_APPLICATION_HANDLES_OPEN, "resource-base-path",
                       "/org/lightningdb/Inspector", NULL);
}
