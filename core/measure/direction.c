/* SPDX-License-Identifier: Apache-2.0 */
#include "core/measure/direction.h"

#include <string.h>

#define WORDS_MAX 32 /* of a name that are looked at, the last ones */

/* Words by which a metric is known. */
/* clang-format off */
static const char *const higher_words[] = {
	"acc", "accuracy", "ap", "ari", "auc", "aupr", "auroc", "bertscore", "bleu", "chrf",
	"corr", "correct", "dcg", "dice", "em", "explained", "f1", "f2", "fbeta", "fps",
	"gmean", "hit", "hits", "iou", "jaccard", "kappa", "map", "mcc", "meteor", "miou",
	"mrr", "ndcg", "nmi", "npv", "pearson", "pearsonr", "ppv", "prauc", "prec",
	"precision", "psnr", "qps", "r2", "recall", "reward", "rocauc", "rouge", "rouge1",
	"rouge2", "rougel", "sensitivity", "silhouette", "spearman", "spearmanr",
	"specificity", "ssim", "success", "throughput", "tnr", "tpr", NULL,
};
static const char *const lower_words[] = {
	"bce", "bpc", "bpd", "brier", "ce", "cer", "cost", "crossentropy", "deviance",
	"distance", "divergence", "duration", "ece", "eer", "elapsed", "err", "error",
	"errors", "fdr", "fid", "fnr", "fpr", "hamming", "hausdorff", "hinge", "kl", "latency",
	"logloss", "loss", "lpips", "mad", "mae", "mape", "mase", "mce", "memory", "mse",
	"msle", "nll", "perplexity", "pinball", "ppl", "regret", "residual", "rmse", "rmsle",
	"rse", "runtime", "seconds", "smape", "ter", "time", "violations", "wape", "wer",
	"wmape", NULL,
};
/* clang-format on */

/* Splits "val.top5_accAtK" into lower-case words: at what is no letter or digit, and where a
 * capital follows a small letter. */
static GPtrArray *split_words(const char *name)
{
	GPtrArray *words = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GString) word = g_string_new(NULL);

	for (const char *at = name;; at++) {
		gboolean inner = g_ascii_isalnum(*at);
		gboolean hump = at > name && g_ascii_isupper(*at) && g_ascii_islower(at[-1]);

		if ((!inner || hump) && word->len > 0) {
			g_ptr_array_add(words, g_strdup(word->str));
			g_string_truncate(word, 0);
		}
		if (inner)
			g_string_append_c(word, g_ascii_tolower(*at));
		if (!*at)
			return words;
	}
}

static gboolean is_one_of(const char *word, const char *const *list)
{
	for (; *list; list++)
		if (strcmp(word, *list) == 0)
			return TRUE;
	return FALSE;
}

MlvDirection mlv_direction_of_name(const char *name)
{
	g_autoptr(GPtrArray) words = split_words(name);
	MlvDirection direction = MLV_DIRECTION_UNKNOWN;
	guint from = words->len > WORDS_MAX ? words->len - WORDS_MAX : 0;

	/* The last word that is known tells: "error_rate.f1" is an f1. "score" tells something only
	 * where nothing else does: a Brier score is better when it is lower. */
	for (guint i = from; i < words->len; i++) {
		if (is_one_of(words->pdata[i], higher_words))
			direction = MLV_DIRECTION_HIGHER;
		else if (is_one_of(words->pdata[i], lower_words))
			direction = MLV_DIRECTION_LOWER;
		else if (direction == MLV_DIRECTION_UNKNOWN &&
			 strcmp(words->pdata[i], "score") == 0)
			direction = MLV_DIRECTION_HIGHER;
	}
	/* scikit-learn's "neg_mean_squared_error" is an error with its sign turned. */
	for (guint i = from; i < words->len; i++)
		if (strcmp(words->pdata[i], "neg") == 0 && direction == MLV_DIRECTION_LOWER)
			return MLV_DIRECTION_HIGHER;
	return direction;
}

/* What a declaration's word says; FALSE if it is none. */
static gboolean read_word(const MlvValue *value, MlvDirection *direction)
{
	if (!mlv_value_is(value, MLV_VALUE_STRING))
		return FALSE;
	*direction = strcmp(value->text, "higher") == 0  ? MLV_DIRECTION_HIGHER
		     : strcmp(value->text, "lower") == 0 ? MLV_DIRECTION_LOWER
							 : MLV_DIRECTION_UNKNOWN;
	return TRUE;
}

MlvDirection mlv_direction_of(const char *name, const MlvValue *better)
{
	MlvDirection direction;
	const char *dot = strrchr(name, '.');

	if (read_word(better, &direction))
		return direction;
	if (mlv_value_is(better, MLV_VALUE_MAP) &&
	    (read_word(mlv_value_get(better, name), &direction) ||
	     read_word(mlv_value_lookup(better, name), &direction) ||
	     (dot && read_word(mlv_value_get(better, dot + 1), &direction)) ||
	     read_word(mlv_value_get(better, "*"), &direction)))
		return direction;
	return mlv_direction_of_name(name);
}

const char *mlv_direction_word(MlvDirection direction)
{
	return direction == MLV_DIRECTION_HIGHER  ? "higher"
	       : direction == MLV_DIRECTION_LOWER ? "lower"
						  : NULL;
}
