/* soap: errors as SOAP faults, for clients that speak SOAP (adapter.soapErrorInXMLEnabled).
 *
 * HAProxy sees by the headers of a request which SOAP it is and tells the agent, which writes what
 * it refuses as a fault; the faults that HAProxy sends itself are written by cc-gen. The text of a
 * fault is the message of the error, its detail is "CODE:DESCRIPTION", as in WSO2 Choreo Connect.
 */
#pragma once

#include "base/base.h"

/* The numbers are those of txn.ccin.soap in HAProxy, and of the agent's argument `soap`. */
enum gw_soap { GW_SOAP_NONE = 0, GW_SOAP_11 = 11, GW_SOAP_12 = 12 };

#define GW_SOAP_11_TYPE "text/xml; charset=utf-8"
#define GW_SOAP_12_TYPE "application/soap+xml; charset=utf-8"

/* What stands before the message, between it and the code, and behind the description. */
#define GW_SOAP_11_BEFORE                                                                 \
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>"                                          \
    "<soap:Envelope xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\"><soap:Body>" \
    "<soap:Fault><faultcode>soap:Server</faultcode><faultstring>"
#define GW_SOAP_11_BETWEEN "</faultstring><detail>"
#define GW_SOAP_11_AFTER   "</detail></soap:Fault></soap:Body></soap:Envelope>"
#define GW_SOAP_12_BEFORE                                                                    \
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>"                                             \
    "<soap:Envelope xmlns:soap=\"http://www.w3.org/2003/05/soap-envelope\"><soap:Body>"      \
    "<soap:Fault><soap:Code><soap:Value>soap:Receiver</soap:Value></soap:Code><soap:Reason>" \
    "<soap:Text xml:lang=\"en\">"
#define GW_SOAP_12_BETWEEN "</soap:Text></soap:Reason><soap:Detail>"
#define GW_SOAP_12_AFTER   "</soap:Detail></soap:Fault></soap:Body></soap:Envelope>"

/* A fault of texts that are literals without '&', '<' and '>'. */
#define GW_SOAP_FAULT(v, message, code, description) \
    GW_SOAP_##v##_BEFORE message GW_SOAP_##v##_BETWEEN code ":" description GW_SOAP_##v##_AFTER

enum {
    /* of a fault without its texts, and of a byte of those */
    GW_SOAP_FRAME_MAX = 512,
    GW_SOAP_BYTE_MAX = 5
};

/* The Content-Type of faults; "" for none. */
struct slice gw_soap_type(enum gw_soap soap);

/* Adds the fault; `soap` is not GW_SOAP_NONE. What XML cannot have is written as U+FFFD. */
void gw_soap_fault(struct buf *out, enum gw_soap soap, struct slice message, struct slice code,
                   struct slice description);
