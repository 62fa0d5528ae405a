/* The answers of mock APIs, which the examples of an OpenAPI document become: what they may hold.
 *
 * HAProxy sends an answer from the variables that the agent sets, so all of it travels in one SPOP
 * frame (16 KiB less four bytes, by HAProxy's tune.bufsize) and then has to fit into one buffer of
 * the same size. The limits leave room for what else is in there. cc-gen refuses what is above them;
 * the reader of snapshots does, too.
 *
 * The functions that end in _fault return NULL when the text is usable, else what is wrong with it,
 * for a finding. All are pure and safe from any thread. */
#pragma once

#include "gateway/gateway.h"

enum {
    GW_MOCK_BODY_MAX = 12 << 10,
    GW_MOCK_LINES_MAX = 256,
    GW_MOCK_HEADERS_MAX = 1024, /* of one answer, in the form of gw_mock_headers_json() */
    GW_MOCK_TYPE_MAX = 128,     /* a media type */
    GW_MOCK_CONTENTS_MAX = 16   /* media types of one answer */
};

/* "200", "20x", "2xx", "default": lower case, 2 to 5 in front. */
const char *gw_mock_code_fault(struct slice code);

/* type/subtype with parameters or without (RFC 9110 8.3.1); no ranges. */
const char *gw_mock_media_type_fault(struct slice type);

/* Control characters other than tabs and line breaks cannot be sent, by HAProxy 2.6 and 3.0: they
 * encode them. Line breaks are made by the format of a rule, one rule for each number of lines. */
const char *gw_mock_body_fault(struct slice body);

/* One more than it has line breaks. */
unsigned gw_mock_body_lines(struct slice body);

/* A name is in lower case and can be a part of HAProxy's configuration and of a JSON path; it is
 * none that HAProxy makes itself (RFC 9110 6.6, 7.6.1, 8.6). */
const char *gw_mock_header_name_fault(struct slice name);
const char *gw_mock_header_value_fault(struct slice value);

/* {"x-a":"1","x-b":"2"}: how the agent hands them to HAProxy. Fails like any buf_add() would. */
void gw_mock_headers_json(const struct gw_mock_answer *answer, struct buf *out);

/* Do contents and headers of the answer keep to the limits? */
const char *gw_mock_answer_fault(const struct gw_mock_answer *answer);

/* May a response with this status have content (RFC 9110 15.3.5, 15.3.6, 15.4.5)? */
bool gw_mock_status_has_content(unsigned status);

/* Does the code of an answer stand for this status? "default" stands for none by itself. */
bool gw_mock_code_covers(struct slice code, unsigned status);
