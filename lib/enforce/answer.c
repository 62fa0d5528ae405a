#include "enforce/answer.h"

/* The value of a list header of the request; HAProxy joins up to three lines of it. False: there
 * were more, of which none is to be believed to be the only one. */
static bool list_header(const struct attempt *a, size_t at, struct slice *out)
{
    const struct enforce_header *h = a->request->headers != NULL ? &a->request->headers[at] : NULL;

    *out = h != NULL && h->count > 0 ? h->value : SLICE_NONE;
    return h == NULL || h->count <= 1;
}

static bool refuse_answer(struct attempt *a, enum mock_fault fault,
                          const struct mock_choice *choice)
{
    static const char *const texts[MOCK_FAULT_COUNT] = {
        [MOCK_BAD_CODE] = "mock: the preferred code is not of three digits",
        [MOCK_NO_ANSWER] = "mock: the operation has no example",
        [MOCK_NO_CODE] = "mock: the operation has no example for the preferred code",
        [MOCK_NO_TYPE] = "mock: no media type of the answer is acceptable",
        [MOCK_NO_EXAMPLE] = "mock: the answer has no example of the preferred name",
        [MOCK_MANY_LINES] = "mock: more than three lines of Prefer or Accept",
    };
    const struct gw_mock_answer *answer = choice->answer;

    reason_add_str(a->reason, texts[fault]);
    reason_add_place(a->reason, answer != NULL ? answer->origin : a->out->operation->origin);
    refuse_mock(a->out, a->refusal, fault, choice->preferred);
    return false;
}

bool answer_by_example(struct attempt *a)
{
    struct enforce_decision *out = a->out;
    struct slice prefer, accept;
    struct mock_choice choice = {.answer = NULL};
    enum mock_fault fault = MOCK_MANY_LINES;
    struct buf headers;
    bool single = list_header(a, a->rules->prefer_header, &prefer);

    single = list_header(a, a->rules->accept_header, &accept) && single;
    TRACE(mock, a->trace, out->operation, prefer, accept);
    if (single)
        fault = mock_choose(out->operation, prefer, accept, &choice);
    if (fault != MOCK_OK)
        return refuse_answer(a, fault, &choice);
    reason_add_str(a->reason, "mock: the example of ");
    reason_add(a->reason, choice.answer->code);
    reason_add_place(a->reason, choice.answer->origin);
    refuse(out, REFUSE_MOCK_ANSWER); /* nothing of what was set before stays */
    out->status = (int)choice.status;
    out->code = out->body = out->challenge = out->content_type = SLICE_NONE;
    if (choice.example != NULL) {
        out->body = choice.example->body;
        out->lines = gw_mock_body_lines(out->body);
        out->content_type = choice.content->media_type;
    }
    buf_init_fixed(&headers, a->w->mock_headers, sizeof(a->w->mock_headers));
    gw_mock_headers_json(choice.answer, &headers);
    CC_ASSERT(buf_error(&headers) == CC_OK); /* the reader of snapshots saw to it */
    if (choice.answer->n_headers > 0)
        out->headers = buf_slice(&headers);
    out->verdict = ENFORCE_ANSWER;
    return true;
}
