/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/s3/sign.h"

#include <string.h>
#include <time.h>

#include "storage/id.h"
#include "storage/s3/secret.h"

#define ALGORITHM "AWS4-HMAC-SHA256"

/* A header or a parameter of the query, to be sorted. */
typedef struct {
	char *name, *value;
	gsize order; /* as given: the values of one header keep their order */
} Pair;

static void clear_pair(gpointer data)
{
	Pair *pair = data;

	g_free(pair->name);
	mlv_secret_free(pair->value);
}

static GArray *new_pairs(void)
{
	GArray *pairs = g_array_new(FALSE, FALSE, sizeof(Pair));

	g_array_set_clear_func(pairs, clear_pair);
	return pairs;
}

static gboolean is_unreserved(char c)
{
	return g_ascii_isalnum(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

char *mlv_s3_escape(const char *text, gssize length, gboolean slashes)
{
	gsize n = length < 0 ? strlen(text) : (gsize)length;
	GString *out = g_string_sized_new(n + n / 4 + 1);

	for (gsize i = 0; i < n; i++) {
		if (is_unreserved(text[i]) || (slashes && text[i] == '/'))
			g_string_append_c(out, text[i]);
		else
			g_string_append_printf(out, "%%%02X", (guint8)text[i]);
	}
	return g_string_free(out, FALSE);
}

static int compare_headers(gconstpointer a, gconstpointer b)
{
	const Pair *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order ? order : x->order < y->order ? -1 : x->order > y->order;
}

static int compare_parameters(gconstpointer a, gconstpointer b)
{
	const Pair *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order ? order : strcmp(x->value, y->value);
}

/* Without blanks at the ends, each run of them within as one space. */
static char *collapse(const char *value)
{
	GString *out = g_string_sized_new(strlen(value) + 1);

	for (const char *at = value; *at; at++) {
		if (!g_ascii_isspace(*at))
			g_string_append_c(out, *at);
		else if (out->len > 0 && out->str[out->len - 1] != ' ')
			g_string_append_c(out, ' ');
	}
	if (out->len > 0 && out->str[out->len - 1] == ' ')
		g_string_truncate(out, out->len - 1);
	return g_string_free(out, FALSE);
}

static void add_header(GArray *pairs, const char *line)
{
	const char *colon = strchr(line, ':');
	Pair pair = { .order = pairs->len };

	g_return_if_fail(colon);
	pair.name = g_ascii_strdown(line, colon - line);
	g_strchomp(pair.name);
	pair.value = collapse(colon + 1);
	g_array_append_val(pairs, pair);
}

static GArray *sorted_headers(GPtrArray *given, GPtrArray *ours)
{
	GArray *pairs = new_pairs();

	for (guint i = 0; given && i < given->len; i++)
		add_header(pairs, g_ptr_array_index(given, i));
	for (guint i = 0; i < ours->len; i++)
		add_header(pairs, g_ptr_array_index(ours, i));
	g_array_sort(pairs, compare_headers);
	return pairs;
}

/* "name:value\n" of each, values of one name joined by ','; the names joined by ';' to `names`. */
static void append_headers(GString *canonical, GString *names, GArray *pairs)
{
	for (guint i = 0; i < pairs->len; i++) {
		const Pair *pair = &g_array_index(pairs, Pair, i);
		const Pair *before = i > 0 ? pair - 1 : NULL;

		if (before && g_str_equal(before->name, pair->name)) {
			g_string_append_printf(canonical, ",%s", pair->value);
			continue;
		}
		g_string_append_printf(canonical, "%s%s:%s", i > 0 ? "\n" : "", pair->name,
				       pair->value);
		g_string_append_printf(names, "%s%s", i > 0 ? ";" : "", pair->name);
	}
	g_string_append_c(canonical, '\n');
}

static void append_query(GString *canonical, const char *query)
{
	g_auto(GStrv) parts = g_strsplit(query, "&", -1);
	g_autoptr(GArray) pairs = new_pairs();

	for (char **part = parts; *part; part++) {
		char *equals = strchr(*part, '=');
		Pair pair = { 0 };

		if (!**part)
			continue;
		pair.name = equals ? g_strndup(*part, (gsize)(equals - *part)) : g_strdup(*part);
		pair.value = g_strdup(equals ? equals + 1 : "");
		g_array_append_val(pairs, pair);
	}
	g_array_sort(pairs, compare_parameters);
	for (guint i = 0; i < pairs->len; i++) {
		const Pair *pair = &g_array_index(pairs, Pair, i);

		g_string_append_printf(canonical, "%s%s=%s", i > 0 ? "&" : "", pair->name,
				       pair->value);
	}
}

/* The canonical request's SHA-256; the names of what it signs to `names`. */
static void digest_request(const MlvS3Signing *signing, GPtrArray *ours, GString *names, MlvId *id)
{
	g_autoptr(GArray) headers = sorted_headers(signing->headers, ours);
	GString *canonical = g_string_sized_new(1024);

	g_string_append_printf(canonical, "%s\n%s\n", signing->method, signing->path);
	append_query(canonical, signing->query);
	g_string_append_c(canonical, '\n');
	append_headers(canonical, names, headers);
	g_string_append_printf(canonical, "\n%s\n%s", names->str, signing->payload);
	mlv_id_of(canonical->str, canonical->len, id);
	mlv_secret_free_string(canonical);
}

static void mac(MlvId *key, const char *text)
{
	MlvId out;

	mlv_id_hmac(key, sizeof(*key), text, strlen(text), &out);
	*key = out;
	explicit_bzero(&out, sizeof(out));
}

static void sign_text(const char *secret, const MlvS3Signing *signing, const char *day,
		      const char *text, MlvId *signature)
{
	MLV_AUTO_SECRET char *first = g_strconcat("AWS4", secret, NULL);

	mlv_id_hmac(first, strlen(first), day, strlen(day), signature);
	mac(signature, signing->region);
	mac(signature, signing->service);
	mac(signature, "aws4_request");
	mac(signature, text);
}

static char *authorization(const MlvS3Signing *signing, const MlvS3Keys *keys, GPtrArray *ours,
			   const char *stamp)
{
	g_autoptr(GString) names = g_string_new(NULL);
	g_autofree char *day = g_strndup(stamp, 8);
	char hex[MLV_ID_HEX + 1];
	MlvId id;

	digest_request(signing, ours, names, &id);
	mlv_id_format(&id, hex);
	g_autofree char *scope =
		g_strdup_printf("%s/%s/%s/aws4_request", day, signing->region, signing->service);
	g_autofree char *text = g_strdup_printf(ALGORITHM "\n%s\n%s\n%s", stamp, scope, hex);
	sign_text(keys->secret, signing, day, text, &id);
	mlv_id_format(&id, hex);
	return g_strdup_printf("Authorization: " ALGORITHM
			       " Credential=%s/%s, SignedHeaders=%s, Signature=%s",
			       keys->id, scope, names->str, hex);
}

GPtrArray *mlv_s3_sign(const MlvS3Signing *signing, const MlvS3Keys *keys)
{
	GPtrArray *ours = g_ptr_array_new_with_free_func(mlv_secret_free);
	time_t seconds = (time_t)signing->time;
	char stamp[sizeof("YYYYMMDDTHHMMSSZ") + 16] = "";
	struct tm date;

	g_ptr_array_add(ours, g_strdup_printf("Host: %s", signing->host));
	if (!keys)
		return ours;
	if (gmtime_r(&seconds, &date))
		strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &date);
	g_ptr_array_add(ours, g_strdup_printf("X-Amz-Date: %s", stamp));
	if (g_str_equal(signing->service, "s3"))
		g_ptr_array_add(ours,
				g_strdup_printf("X-Amz-Content-Sha256: %s", signing->payload));
	if (keys->token)
		g_ptr_array_add(ours, g_strdup_printf("X-Amz-Security-Token: %s", keys->token));
	g_ptr_array_add(ours, authorization(signing, keys, ours, stamp));
	return ours;
}
