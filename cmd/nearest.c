/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/options.h"
#include "core/nearest_word.h"

const char *mlv_options_nearest(const char *word, const char *const *names)
{
	return mlv_nearest_word(word, names);
}
