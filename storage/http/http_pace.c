/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The limit climbs while that pays: what the settled limit gives is measured for a window, then
 * twice as many are let in, and unless bytes or requests a second grow by a tenth the limit goes
 * back and stays for a while, each time longer.
 */
#include "storage/http/http_private.h"

#define SECOND G_USEC_PER_SEC
#define WINDOW (SECOND / 5)
/* Where so little happens that a window says nothing, it lasts longer. */
#define WINDOW_MAX (3 * SECOND)
#define GAIN       1.1
#define HOLD_FIRST (2 * SECOND)
#define HOLD_MAX   (30 * SECOND)
#define BEGIN      8
/* Answers that say "slower" come in swarms, to what was sent before. */
#define SLOWED_APART (SECOND / 2)

void mlv_http_pace_init(MlvHttpPace *pace, guint max, guint64 rate, gint64 now)
{
	/* Few transfers where the rate is low: whatever they have read at once is rested for. */
	if (rate)
		max = (guint)CLAMP(rate / (64 * 1024), 1, max);
	*pace = (MlvHttpPace){ .limit = MIN(BEGIN, max),
			       .max = max,
			       .settled = MIN(BEGIN, max),
			       .hold = HOLD_FIRST,
			       .rate = rate,
			       .since = now,
			       .drained = now };
}

void mlv_http_pace_moved(MlvHttpPace *pace, guint64 bytes)
{
	pace->bytes += bytes;
	if (pace->rate)
		pace->level += (double)bytes;
}

void mlv_http_pace_ended(MlvHttpPace *pace)
{
	pace->ended++;
}

static void window_begin(MlvHttpPace *pace, gint64 now)
{
	pace->since = now;
	pace->bytes = 0;
	pace->ended = 0;
	pace->idle = FALSE;
}

void mlv_http_pace_slower(MlvHttpPace *pace, gint64 now)
{
	if (pace->slowed && now - pace->slowed < SLOWED_APART)
		return;
	pace->limit = pace->settled = MAX(1, pace->limit / 2);
	pace->phase = MLV_HTTP_PACE_STEADY;
	pace->careful = TRUE;
	pace->slowed = now;
	pace->hold = HOLD_FIRST;
	pace->hold_until = now + HOLD_FIRST;
	window_begin(pace, now);
}

static void grow(MlvHttpPace *pace)
{
	guint step = pace->careful ? MAX(1, pace->limit / 4) : pace->limit;

	pace->limit = MIN(pace->max, pace->limit + step);
	pace->phase = MLV_HTTP_PACE_RAMP;
}

static void window_end(MlvHttpPace *pace, double seconds, gint64 now)
{
	double bytes = (double)pace->bytes / seconds, ended = pace->ended / seconds;
	gboolean pays = bytes > pace->byte_rate * GAIN || ended > pace->end_rate * GAIN;

	if (pace->phase == MLV_HTTP_PACE_RAMP) {
		pace->phase = MLV_HTTP_PACE_PROBE;
		return;
	}
	if (pace->phase == MLV_HTTP_PACE_PROBE && !pays) {
		pace->limit = pace->settled;
		pace->phase = MLV_HTTP_PACE_STEADY;
		pace->hold_until = now + pace->hold;
		pace->hold = MIN(2 * pace->hold, HOLD_MAX);
		return;
	}
	if (pace->phase == MLV_HTTP_PACE_PROBE)
		pace->hold = HOLD_FIRST;
	pace->phase = MLV_HTTP_PACE_STEADY;
	pace->settled = pace->limit;
	pace->byte_rate = bytes;
	pace->end_rate = ended;
	if (pace->limit < pace->max && now >= pace->hold_until)
		grow(pace);
}

void mlv_http_pace_adapt(MlvHttpPace *pace, gboolean full, gint64 now)
{
	gint64 length = now - pace->since;

	pace->idle |= !full;
	if (length < WINDOW)
		return;
	/* A measure needs the limit to have been reached, and a few ends, or bytes. */
	if (pace->idle) {
		window_begin(pace, now);
		return;
	}
	if (length < WINDOW_MAX && pace->ended < pace->limit &&
	    pace->bytes < (guint64)pace->limit * MLV_HTTP_BLOCK)
		return;
	window_end(pace, (double)length / SECOND, now);
	window_begin(pace, now);
}

gint64 mlv_http_pace_rest(MlvHttpPace *pace, gint64 now)
{
	double paid, over;

	if (!pace->rate)
		return 0;
	paid = (double)(now - pace->drained) / SECOND * (double)pace->rate;
	pace->level = MAX(0, pace->level - paid);
	pace->drained = now;
	/* A twentieth of a second may be ahead, so that rests are not too many. */
	over = pace->level - (double)pace->rate / 20;
	return over > 0 ? (gint64)(over / (double)pace->rate * SECOND) + 1 : 0;
}
