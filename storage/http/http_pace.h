/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many transfers at once, and how fast. Pure: who calls gives the time, in monotonic
 * microseconds, and nothing here waits.
 *
 *	mlv_http_pace_init(&pace, 64, 0, now);
 *	... mlv_http_pace_moved(&pace, bytes); mlv_http_pace_ended(&pace) as things happen
 *	mlv_http_pace_adapt(&pace, in_flight >= pace.limit, now);
 */
#ifndef MLV_STORAGE_HTTP_HTTP_PACE_H
#define MLV_STORAGE_HTTP_HTTP_PACE_H

#include <glib.h>

typedef enum {
	MLV_HTTP_PACE_STEADY, /* measures what `settled` transfers give */
	MLV_HTTP_PACE_RAMP,   /* more are being opened: not measured */
	MLV_HTTP_PACE_PROBE,  /* measures whether more give more */
} MlvHttpPacePhase;

typedef struct {
	guint limit; /* transfers in flight now, at most */
	guint max;
	guint settled; /* the last limit that paid */
	MlvHttpPacePhase phase;
	gboolean careful; /* it was told to slow down: it grows by steps, not by doubling */
	gboolean idle;    /* in this window the limit was not what held it */
	gint64 since;     /* begin of the window */
	guint64 bytes;    /* in this window */
	guint ended;      /* likewise */
	double byte_rate, end_rate;
	gint64 hold, hold_until; /* no growth before */
	gint64 slowed;
	guint64 rate; /* bytes a second; 0: no limit */
	double level; /* bytes moved that the rate has not yet paid for */
	gint64 drained;
} MlvHttpPace;

void mlv_http_pace_init(MlvHttpPace *pace, guint max, guint64 rate, gint64 now);
/* `bytes` of bodies have moved. */
void mlv_http_pace_moved(MlvHttpPace *pace, guint64 bytes);
/* A transfer has ended well. */
void mlv_http_pace_ended(MlvHttpPace *pace);
/* The server, or the link, has had too much. */
void mlv_http_pace_slower(MlvHttpPace *pace, gint64 now);
/* Adapts the limit; `full`: as many transfers as it allows are in flight. */
void mlv_http_pace_adapt(MlvHttpPace *pace, gboolean full, gint64 now);
/* Microseconds to rest so that the rate is kept; 0: go on. */
gint64 mlv_http_pace_rest(MlvHttpPace *pace, gint64 now);

#endif
