/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server on loopback that does what a test's handler says, a thread for each connection. Handlers
 * run in those threads: they only answer and note, the test asserts. Include after <cmocka.h>.
 *
 *	static gboolean handle(Exchange *exchange)
 *	{
 *		return exchange_say(exchange, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
 *	}
 *	Server *server = server_new(handle);
 *	g_autofree char *url = server_url(server, "/path");
 *	...
 *	server_free(server);
 */
#ifndef MLV_TESTS_HTTP_SERVER_H
#define MLV_TESTS_HTTP_SERVER_H

#include <arpa/inet.h>
#include <glib.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct Server Server;

/* A request that came, and its connection. */
typedef struct {
	Server *server;
	int fd;
	char *method, *path;
	char *head;       /* all of it */
	guint64 length;   /* of the body, as declared */
	GByteArray *body; /* as far as the handler has read it */
	guint number;     /* requests to the same path before this one */
} Exchange;

/* FALSE: the connection is closed. */
typedef gboolean (*ServerHandler)(Exchange *exchange);

struct Server {
	ServerHandler handler;
	int fd;
	guint16 port;
	GThread *thread;
	GMutex mutex;
	GCond changed;
	GPtrArray *threads; /* of GThread *, of connections */
	GArray *fds;        /* of int, open connections */
	GHashTable *counts; /* path -> requests */
	guint requests, connections;
	GString *heads; /* of all requests */
	gboolean stopping;
};

static inline gboolean exchange_send(Exchange *exchange, const void *data, gsize length)
{
	const char *at = data;

	while (length) {
		ssize_t sent = send(exchange->fd, at, length, MSG_NOSIGNAL);

		if (sent <= 0)
			return FALSE;
		at += sent;
		length -= (gsize)sent;
	}
	return TRUE;
}

static inline gboolean exchange_say(Exchange *exchange, const char *text)
{
	return exchange_send(exchange, text, strlen(text));
}

/* An answer with a body of `length` bytes. */
static inline gboolean exchange_answer(Exchange *exchange, const char *status, const char *fields,
				       const void *data, gsize length)
{
	g_autofree char *head = g_strdup_printf("HTTP/1.1 %s\r\n%sContent-Length: %zu\r\n\r\n",
						status, fields, length);

	return exchange_say(exchange, head) && exchange_send(exchange, data, length);
}

/* Reads up to `most` further bytes of the request's body. */
static inline gboolean exchange_read(Exchange *exchange, guint64 most)
{
	guint64 end = MIN(exchange->length, exchange->body->len + most);
	guint8 buffer[65536];

	while (exchange->body->len < end) {
		gsize part = (gsize)MIN(sizeof(buffer), end - exchange->body->len);
		ssize_t got = recv(exchange->fd, buffer, part, 0);

		if (got <= 0)
			return FALSE;
		g_byte_array_append(exchange->body, buffer, (guint)got);
	}
	return TRUE;
}

/* Until the client goes away, or for that many milliseconds (-1: any). */
static inline void exchange_wait_for_cut(Exchange *exchange, int milliseconds)
{
	struct pollfd poller = { .fd = exchange->fd, .events = POLLRDHUP };

	poll(&poller, 1, milliseconds);
}

/* The connection ends with a reset, not an end of file. */
static inline gboolean exchange_reset(Exchange *exchange)
{
	struct linger now = { .l_onoff = 1, .l_linger = 0 };

	setsockopt(exchange->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	return FALSE;
}

/* Reads a head, byte by byte: simple, and nothing of what follows is taken. */
static inline char *server_read_head(int fd)
{
	g_autoptr(GString) head = g_string_new(NULL);
	char byte;

	while (recv(fd, &byte, 1, 0) == 1) {
		if (!head->len && !g_ascii_isupper(byte))
			return NULL;
		g_string_append_c(head, byte);
		if (g_str_has_suffix(head->str, "\r\n\r\n"))
			return g_string_free(g_steal_pointer(&head), FALSE);
	}
	return NULL;
}

static inline gboolean server_exchange(Server *server, int fd)
{
	g_autofree char *head = server_read_head(fd);
	g_auto(GStrv) words = head ? g_strsplit(head, " ", 3) : NULL;
	Exchange exchange = { .server = server, .fd = fd, .head = head };
	const char *length;
	gboolean keep;

	if (!head || g_strv_length(words) < 3)
		return FALSE;
	exchange.method = words[0];
	exchange.path = words[1];
	length = strstr(head, "Content-Length: ");
	exchange.length = length ? g_ascii_strtoull(length + 16, NULL, 10) : 0;
	exchange.body = g_byte_array_new();
	g_mutex_lock(&server->mutex);
	exchange.number = GPOINTER_TO_UINT(g_hash_table_lookup(server->counts, words[1]));
	g_hash_table_replace(server->counts, g_strdup(words[1]),
			     GUINT_TO_POINTER(exchange.number + 1));
	server->requests++;
	g_string_append(server->heads, head);
	g_mutex_unlock(&server->mutex);
	keep = server->handler(&exchange);
	g_byte_array_unref(exchange.body);
	return keep;
}

typedef struct {
	Server *server;
	int fd;
} ServerConnection;

static inline gpointer server_serve(gpointer data)
{
	ServerConnection *connection = data;
	Server *server = connection->server;
	int fd = connection->fd;

	g_free(connection);
	while (server_exchange(server, fd))
		;
	g_mutex_lock(&server->mutex);
	for (guint i = 0; i < server->fds->len; i++) {
		if (g_array_index(server->fds, int, i) == fd) {
			g_array_remove_index_fast(server->fds, i);
			break;
		}
	}
	close(fd);
	g_mutex_unlock(&server->mutex);
	return NULL;
}

static inline gpointer server_accept(gpointer data)
{
	Server *server = data;
	int fd;

	while ((fd = accept(server->fd, NULL, NULL)) >= 0) {
		ServerConnection *connection = g_new(ServerConnection, 1);

		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
		*connection = (ServerConnection){ server, fd };
		g_mutex_lock(&server->mutex);
		server->connections++;
		g_array_append_val(server->fds, fd);
		g_ptr_array_add(server->threads,
				g_thread_new("connection", server_serve, connection));
		if (server->stopping)
			shutdown(fd, SHUT_RDWR);
		g_mutex_unlock(&server->mutex);
	}
	return NULL;
}

/* A listening socket on a free port of loopback. */
static inline int server_listen(guint16 *port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
	assert_int_equal(listen(fd, 128), 0);
	*port = ntohs(address.sin_port);
	return fd;
}

static inline Server *server_new(ServerHandler handler)
{
	Server *server = g_new0(Server, 1);

	server->handler = handler;
	server->fd = server_listen(&server->port);
	g_mutex_init(&server->mutex);
	server->threads = g_ptr_array_new();
	server->fds = g_array_new(FALSE, FALSE, sizeof(int));
	server->counts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	server->heads = g_string_new(NULL);
	server->thread = g_thread_new("server", server_accept, server);
	return server;
}

/* The heads of all requests so far. Free with g_free. */
static inline char *server_heads(Server *server)
{
	char *heads;

	g_mutex_lock(&server->mutex);
	heads = g_strdup(server->heads->str);
	g_mutex_unlock(&server->mutex);
	return heads;
}

static inline guint server_requests(Server *server)
{
	guint requests;

	g_mutex_lock(&server->mutex);
	requests = server->requests;
	g_mutex_unlock(&server->mutex);
	return requests;
}

static inline char *server_url(const Server *server, const char *path)
{
	return g_strdup_printf("http://127.0.0.1:%u%s", server->port, path);
}

static inline void server_free(Server *server)
{
	g_mutex_lock(&server->mutex);
	server->stopping = TRUE;
	shutdown(server->fd, SHUT_RDWR);
	for (guint i = 0; i < server->fds->len; i++)
		shutdown(g_array_index(server->fds, int, i), SHUT_RDWR);
	g_mutex_unlock(&server->mutex);
	g_thread_join(server->thread);
	for (guint i = 0; i < server->threads->len; i++)
		g_thread_join(server->threads->pdata[i]);
	close(server->fd);
	g_ptr_array_unref(server->threads);
	g_array_unref(server->fds);
	g_hash_table_unref(server->counts);
	g_string_free(server->heads, TRUE);
	g_mutex_clear(&server->mutex);
	g_free(server);
}

#endif
