/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/s3/call.h"

#include <string.h>
#include <time.h>

#include "storage/id.h"
#include "storage/s3/sign.h"

#define MENDS_MAX    3   /* times that one request is sent again at once */
#define DAMAGED_MAX  5   /* tries of what arrives damaged */
#define CLOCK_MARGIN 300 /* seconds of skew below which it is not the clock */

static void warn(const MlvS3Session *session, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void warn(const MlvS3Session *session, const char *format, ...)
{
	g_autofree char *text = NULL;
	va_list ap;

	if (!session->settings->warn)
		return;
	va_start(ap, format);
	text = g_strdup_vprintf(format, ap);
	va_end(ap);
	session->settings->warn(text, session->settings->warn_user);
}

/* --- before ----------------------------------------------------------------------------------- */

static void add_all(GPtrArray *to, const GPtrArray *from)
{
	for (guint i = 0; i < from->len; i++)
		g_ptr_array_add(to, g_strdup(from->pdata[i]));
}

static gboolean prepare(MlvHttpRequest *request, GError **error)
{
	MlvS3Call *call = request->user;
	MlvS3Session *session = call->session;
	const MlvS3Endpoint *endpoint = session->endpoint;
	g_autofree char *path = mlv_s3_endpoint_path(endpoint, call->key);
	g_autoptr(GPtrArray) made = NULL;
	const MlvS3Keys *keys;
	MlvS3Signing signing = {
		.method = request->method,
		.host = endpoint->authority,
		.path = path,
		.query = call->query,
		.headers = call->headers,
		.payload = call->payload,
		.region = session->region,
		.service = "s3",
		.time = (gint64)time(NULL) + session->skew,
	};

	if (!mlv_s3_chain_get(session->chain, &keys, error))
		return FALSE;
	g_free(request->url);
	request->url = g_strconcat(endpoint->scheme, "://", endpoint->authority, path,
				   *call->query ? "?" : "", call->query, NULL);
	made = mlv_s3_sign(&signing, keys);
	g_ptr_array_set_size(request->headers, 0);
	add_all(request->headers, call->headers);
	add_all(request->headers, made);
	/* Not signed: what lies between may cut a range to its liking. */
	if (call->range)
		mlv_http_request_set_header(request, "Range", call->range);
	call->moves = session->moves;
	call->renewals = session->renewals;
	return TRUE;
}

/* --- after ------------------------------------------------------------------------------------ */

gboolean mlv_s3_call_skew(const MlvHttpRequest *request, gint64 *skew)
{
	const char *text = mlv_http_request_field(request, "date");
	struct tm tm = { 0 };

	if (!text || !strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &tm))
		return FALSE;
	*skew = (gint64)timegm(&tm) - request->when;
	return TRUE;
}

static gboolean mend_clock(MlvS3Call *call)
{
	MlvS3Session *session = call->session;
	gint64 skew;

	if (call->moves != session->moves)
		return TRUE;
	if (!mlv_s3_call_skew(call->request, &skew) || ABS(skew - session->skew) < CLOCK_MARGIN)
		return FALSE;
	session->skew = skew;
	session->moves++;
	if (!session->told_clock)
		warn(session,
		     "the clock here is %" G_GINT64_FORMAT " minutes %s, by what '%s' says; its "
		     "clock is used, but set this one right",
		     (ABS(skew) + 30) / 60, skew > 0 ? "slow" : "fast", session->settings->url);
	session->told_clock = TRUE;
	return TRUE;
}

static gboolean mend_keys(MlvS3Call *call)
{
	MlvS3Session *session = call->session;

	/* Another request may have found it out before. */
	if (call->renewals == session->renewals) {
		mlv_s3_chain_expire(session->chain);
		session->renewals++;
	}
	return call->mended == 0;
}

static gboolean mend_region(MlvS3Call *call)
{
	MlvS3Session *session = call->session;
	const MlvS3Fault *fault = &call->fault;
	g_autofree char *region = g_strdup(fault->region), *before = NULL;
	gboolean moved;

	if (call->moves != session->moves)
		return TRUE;
	if (!region && fault->target)
		region =
			mlv_s3_endpoint_redirect(session->endpoint, session->region, fault->target);
	if (!region || !mlv_s3_settings_check_region(region, NULL))
		return FALSE;
	before = g_steal_pointer(&session->region);
	moved = mlv_s3_endpoint_move(session->endpoint, before, region);
	session->region = g_steal_pointer(&region);
	if (!moved && strcmp(before, session->region) == 0)
		return FALSE;
	session->moves++;
	if (session->region_given && !session->told_region)
		warn(session,
		     "the bucket of '%s' is in the region '%s', not '%s'; set the remote's 'region' "
		     "to it to save requests",
		     session->settings->url, session->region, before);
	session->told_region = TRUE;
	return TRUE;
}

static MlvHttpVerdict judge(MlvHttpRequest *request)
{
	MlvS3Call *call = request->user;
	gboolean mend = FALSE;

	if (!mlv_s3_fault_read(&call->fault, request, call->may_hold_error))
		return call->check ? call->check(call) : MLV_HTTP_DONE;
	switch (mlv_s3_fault_kind(&call->fault)) {
	case MLV_S3_FAULT_FINAL:
	case MLV_S3_FAULT_MISSING:
		return MLV_HTTP_DONE;
	case MLV_S3_FAULT_BUSY:
		return MLV_HTTP_LATER;
	case MLV_S3_FAULT_DAMAGED:
		return request->tries < DAMAGED_MAX ? MLV_HTTP_LATER : MLV_HTTP_DONE;
	case MLV_S3_FAULT_CLOCK:
		mend = mend_clock(call);
		break;
	case MLV_S3_FAULT_EXPIRED:
		mend = mend_keys(call);
		break;
	case MLV_S3_FAULT_REGION:
		mend = mend_region(call);
		break;
	}
	return mend && call->mended++ < MENDS_MAX ? MLV_HTTP_AGAIN : MLV_HTTP_DONE;
}

/* --- a call ----------------------------------------------------------------------------------- */

MlvS3Call *mlv_s3_call_new(MlvS3Session *session, const char *method, const char *key,
			   const char *query)
{
	MlvS3Call *call = g_new0(MlvS3Call, 1);

	call->session = session;
	call->request = mlv_http_request_new(method, "");
	call->request->prepare = prepare;
	call->request->judge = judge;
	call->request->user = call;
	call->key = g_strdup(key);
	call->query = g_strdup(query);
	call->headers = g_ptr_array_new_with_free_func(g_free);
	call->payload = g_strdup(MLV_S3_EMPTY);
	if (session->settings->requester_pays)
		mlv_s3_call_add_header(call, "x-amz-request-payer", "requester");
	return call;
}

void mlv_s3_call_free(MlvS3Call *call)
{
	if (!call)
		return;
	mlv_http_request_free(call->request);
	mlv_s3_fault_clear(&call->fault);
	g_ptr_array_unref(call->headers);
	g_free(call->key);
	g_free(call->query);
	g_free(call->range);
	g_free(call->payload);
	g_free(call);
}

void mlv_s3_call_add_header(MlvS3Call *call, const char *name, const char *value)
{
	g_ptr_array_add(call->headers, g_strconcat(name, ": ", value, NULL));
}

void mlv_s3_call_set_body(MlvS3Call *call, GBytes *body)
{
	gsize length;
	const void *data = g_bytes_get_data(body, &length);
	char hex[MLV_ID_HEX + 1];
	MlvId id;

	mlv_id_of(data, length, &id);
	mlv_id_format(&id, hex);
	g_free(call->payload);
	call->payload = g_strdup(hex);
	call->request->body = g_bytes_ref(body);
}

gboolean mlv_s3_call_fail(const MlvS3Call *call, const char *verb, const char *name, GError **error)
{
	return mlv_s3_call_fail_with(call, &call->fault, verb, name, error);
}

gboolean mlv_s3_call_fail_with(const MlvS3Call *call, const MlvS3Fault *fault, const char *verb,
			       const char *name, GError **error)
{
	const MlvS3Session *session = call->session;
	MlvS3FaultContext context = {
		.verb = verb,
		.name = name,
		.settings = session->settings,
		.endpoint = session->endpoint,
		.region = session->region,
		.chain = session->chain,
		.tries = call->request->tries,
	};

	if (!mlv_s3_chain_get(session->chain, &context.keys, NULL))
		context.keys = NULL;
	return mlv_s3_fault_fail(fault, &context, error);
}

/* --- a session -------------------------------------------------------------------------------- */

static void add_header(GPtrArray *headers, const char *name, const char *value)
{
	if (value)
		g_ptr_array_add(headers, g_strconcat(name, ": ", value, NULL));
}

#define CUSTOMER "x-amz-server-side-encryption-customer-"

/* The user's own key goes with every read and write. */
static gboolean add_own_key(MlvS3Session *session, GError **error)
{
	g_autoptr(GBytes) key = NULL;
	g_autofree char *text = NULL, *sum = NULL;
	gsize length;
	const guchar *data;

	if (!session->settings->sse_key_file)
		return TRUE;
	if (strcmp(session->endpoint->scheme, "https") != 0)
		return mlv_fail(error, MLV_ERROR_USAGE,
				"'sseKeyFile' needs an https endpoint: the key travels with every "
				"request");
	key = mlv_s3_settings_read_key(session->settings->sse_key_file, error);
	if (!key)
		return FALSE;
	data = g_bytes_get_data(key, &length);
	text = g_base64_encode(data, length);
	sum = mlv_md5_base64(data, length);
	add_header(session->get_headers, CUSTOMER "algorithm", "AES256");
	add_header(session->get_headers, CUSTOMER "key", text);
	add_header(session->get_headers, CUSTOMER "key-md5", sum);
	add_all(session->put_headers, session->get_headers);
	return TRUE;
}

static gboolean set_headers(MlvS3Session *session, GError **error)
{
	const MlvS3Settings *settings = session->settings;

	session->put_headers = g_ptr_array_new_with_free_func(g_free);
	session->get_headers = g_ptr_array_new_with_free_func(g_free);
	add_header(session->put_headers, "x-amz-server-side-encryption", settings->sse);
	add_header(session->put_headers, "x-amz-server-side-encryption-aws-kms-key-id",
		   settings->sse_kms_key);
	add_header(session->put_headers, "x-amz-storage-class", settings->storage_class);
	add_header(session->put_headers, "x-amz-acl", settings->acl);
	if (settings->unsigned_payload && strcmp(session->endpoint->scheme, "https") != 0)
		return mlv_fail(error, MLV_ERROR_USAGE,
				"'unsignedPayload' needs an https endpoint: without either nobody "
				"would notice what is damaged on its way");
	return add_own_key(session, error);
}

/* Who says it first: the settings, the endpoint's name, the environment and the profile. */
static gboolean find_place(MlvS3Session *session, GError **error)
{
	const MlvS3Settings *settings = session->settings;
	g_autofree char *elsewhere = mlv_s3_chain_region(session->chain);
	g_autofree char *address = settings->endpoint ? g_strdup(settings->endpoint)
						      : mlv_s3_chain_endpoint(session->chain, "s3");
	const char *region = settings->region ? settings->region : elsewhere;

	if (region && !mlv_s3_settings_check_region(region, error))
		return FALSE;
	session->endpoint = mlv_s3_endpoint_new(address, region ? region : "us-east-1", error);
	if (!session->endpoint)
		return FALSE;
	mlv_s3_endpoint_place(session->endpoint, settings->bucket, settings->addressing);
	if (!settings->region && address)
		session->region = mlv_s3_endpoint_region(session->endpoint);
	session->region_given = region || session->region;
	if (!session->region)
		session->region = g_strdup(region ? region : "us-east-1");
	return TRUE;
}

MlvS3Session *mlv_s3_session_new(MlvS3Settings *settings, GError **error)
{
	g_autoptr(MlvS3Session) session = g_new0(MlvS3Session, 1);
	g_autofree char *bundle = NULL;
	const MlvS3ChainOptions chain = {
		.profile = settings->profile,
		.anonymous = settings->anonymous,
		.region = settings->region,
		.ca_file = settings->ca_file,
		.cancel = settings->cancel,
	};
	MlvHttpOptions http = {
		.ca_file = settings->ca_file,
		.insecure = settings->insecure,
		.max_transfers = settings->connections,
		.rate = settings->rate,
		.stall_seconds = settings->stall_seconds,
		.cancel = settings->cancel,
	};

	session->settings = settings;
	if (!mlv_s3_settings_check(settings, error))
		return NULL;
	session->chain = mlv_s3_chain_new(&chain);
	if (!find_place(session, error) || !set_headers(session, error))
		return NULL;
	bundle = mlv_s3_chain_ca_bundle(session->chain);
	if (!http.ca_file)
		http.ca_file = bundle;
	session->http = mlv_http_new(&http);
	return g_steal_pointer(&session);
}

static void clear_array(GPtrArray **array)
{
	if (*array)
		g_ptr_array_unref(*array);
	*array = NULL;
}

void mlv_s3_session_free(MlvS3Session *session)
{
	if (!session)
		return;
	mlv_http_free(session->http);
	mlv_s3_chain_free(session->chain);
	mlv_s3_endpoint_free(session->endpoint);
	clear_array(&session->put_headers);
	clear_array(&session->get_headers);
	g_free(session->region);
	mlv_s3_settings_free(session->settings);
	g_free(session);
}
