/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What S3 and STS answer in XML, read element by element. Home of expat. Bounded: no document type,
 * no entities but the five of XML, at most 32 elements deep.
 *
 *	static gboolean each(const char *path, const char *text, gpointer user, GError **error)
 *	{
 *		if (g_str_equal(path, "ListBucketResult/Contents/Key")) ...
 *		if (g_str_equal(path, "ListBucketResult/Contents")) ... the entry is complete
 *		return TRUE;
 *	}
 *	if (!mlv_s3_xml_parse(data, length, MLV_S3_XML_PAGE, "the listing", each, user, error))
 *
 * All functions are thread safe.
 */
#ifndef MLV_STORAGE_S3_XML_H
#define MLV_STORAGE_S3_XML_H

#include "storage/error.h"

/* Bytes of a document at most: an error or an answer of STS; a page of a listing (1000 names of
 * 1024 bytes, each up to three times as long when escaped). */
#define MLV_S3_XML_SMALL (1024 * 1024)
#define MLV_S3_XML_PAGE  (8 * 1024 * 1024)

/* An element has ended, after all that are in it. `path` is its name behind those around it, joined
 * by '/', without name space prefixes. `text` is its text as it stands, in UTF-8, with a NUL behind
 * and none in it; "" if it has elements in it. Both are valid during the call. FALSE ends the
 * reading: with *error set it has failed, else it is done. */
typedef gboolean (*MlvS3XmlEach)(const char *path, const char *text, gpointer user, GError **error);

/* Calls `each` for every element of `length` bytes. More than `max` bytes, or what is not
 * well-formed, is MLV_ERROR_CORRUPT; `what` ("the answer to ListObjectsV2") says of what. */
gboolean mlv_s3_xml_parse(const void *data, gsize length, gsize max, const char *what,
			  MlvS3XmlEach each, gpointer user, GError **error);

/* The text of the first element with that path ("Error/Code"), or NULL: also where the data are no
 * XML, or more than MLV_S3_XML_SMALL. What comes before a fault is found. Free with g_free. */
char *mlv_s3_xml_find(const void *data, gsize length, const char *path);

#endif
