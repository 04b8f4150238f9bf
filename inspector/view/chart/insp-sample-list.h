/* SPDX-License-Identifier: MIT */
/*
 * InspSampleList: the samples of a history that an axis shows, the newest first, as a GListModel of
 * InspSample. What a chart draws stands in a table of these.
 */
#pragma once

#include "insp-axis.h"
#include "insp-history.h"

G_BEGIN_DECLS

#define INSP_TYPE_SAMPLE (insp_sample_get_type ())
G_DECLARE_FINAL_TYPE (InspSample, insp_sample, INSP, SAMPLE, GObject)

guint64 insp_sample_get_number (InspSample *self);

#define INSP_TYPE_SAMPLE_LIST (insp_sample_list_get_type ())
G_DECLARE_FINAL_TYPE (InspSampleList, insp_sample_list, INSP, SAMPLE_LIST, GObject)

InspSampleList *insp_sample_list_new (InspHistory *history, InspAxis *axis);

G_END_DECLS
