/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options.h: compares the options of this stage, for a reload.
 */
#ifndef PC_EXPORT_OPTIONS_H
#define PC_EXPORT_OPTIONS_H

#include "export/export.h"

/* Spans, metrics and sender made from `a` would be the same made from `b`. By text, not by pointer. */
bool options_need_no_restart(const struct export_options *a, const struct export_options *b);

#endif
