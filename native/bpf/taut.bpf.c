/* SPDX-License-Identifier: GPL-2.0-only */
#include "kernel.h"
#include "wakeup.h"
#include "life.h"

char LICENSE[] SEC("license") = "GPL";
