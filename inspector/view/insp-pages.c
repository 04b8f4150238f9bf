/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <glib/gi18n-lib.h>

#include "insp-activity-page.h"
#include "insp-changes-page.h"
#include "insp-data-page.h"
#include "insp-health-page.h"
#include "insp-latency-page.h"
#include "insp-load-page.h"
#include "insp-memory-page.h"
#include "insp-overview-page.h"
#include "insp-page-slot.h"
#include "insp-pages.h"
#include "insp-storage-page.h"
#include "insp-transactions-page.h"

typedef struct
{
  const char *name;  /* in the stack */
  const char *title; /* to be translated */
  const char *icon;  /* in icons/ */
  InspMakePage make;
} Page;

static const Page pages[] = {
  { "overview", N_ ("Overview"), "insp-overview-symbolic", insp_overview_page_new },
  { "latency", N_ ("Latency"), "insp-latency-symbolic", insp_latency_page_new },
  { "data", N_ ("Data"), "insp-data-symbolic", insp_data_page_new },
  { "storage", N_ ("Storage"), "insp-storage-symbolic", insp_storage_page_new },
  { "memory", N_ ("Memory"), "insp-memory-symbolic", insp_memory_page_new },
  { "transactions", N_ ("Transactions"), "insp-transactions-symbolic", insp_transactions_page_new },
  { "changes", N_ ("Changes"), "insp-changes-symbolic", insp_changes_page_new },
  { "activity", N_ ("Activity"), "insp-activity-symbolic", insp_activity_page_new },
  { "health", N_ ("Health"), "insp-health-symbolic", insp_health_page_new },
  { "load", N_ ("Load Tester"), "insp-load-symbolic", insp_load_page_new },
};

void
insp_pages_add (GtkStack *stack, InspSession *session)
{
  for (guint i = 0; i < G_N_ELEMENTS (pages); i++)
    {
      GtkStackPage *page = gtk_stack_add_titled (stack, insp_page_slot_new (session, pages[i].make),
                                                 pages[i].name, _ (pages[i].title));
      gtk_stack_page_set_icon_name (page, pages[i].icon);
    }
}
