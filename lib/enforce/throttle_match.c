#include "enforce/throttle_match.h"

#include "enforce/query.h"

/* --- the query ----------------------------------------------------------------------------------
 */

bool throttle_query(struct slice query, struct slice name, char *room, size_t size,
                    struct slice *value, bool *fits)
{
    struct slice pair, raw = SLICE_NONE;
    bool found = false;
    size_t n = 0;

    while (query.n > 0 && slice_split(&query, '&', &pair)) {
        struct slice key = SLICE_NONE;

        slice_split(&pair, '=', &key);
        if (!query_name_is(key, name))
            continue;
        found = true;
        raw = pair; /* absent when there is no '=' */
    }
    *fits = raw.n <= size;
    while (raw.n > 0 && *fits)
        room[n++] = query_take_decoded(&raw);
    *value = slice_make(room, n);
    return found;
}

/* --- conditions ---------------------------------------------------------------------------------
 */

static enum throttle_met met_if(bool yes)
{
    return yes ? THROTTLE_MET : THROTTLE_NOT_MET;
}

static enum throttle_met match_text(struct attempt *a, const struct throttle_condition *c,
                                    struct slice text)
{
    switch (c->condition->match) {
    case GW_MATCH_PRESENT:
        return THROTTLE_MET;
    case GW_MATCH_EQUAL:
        return met_if(slice_eq(text, c->condition->value));
    case GW_MATCH_CONTAINS:
        return met_if(slice_contains(text, c->condition->value));
    case GW_MATCH_PATTERN:
        switch (gw_pattern_find(c->pattern, a->w->patterns, text)) {
        case GW_FOUND:
            return THROTTLE_MET;
        case GW_NOT_FOUND:
            return THROTTLE_NOT_MET;
        case GW_FOUND_ERROR:
            break;
        }
        return THROTTLE_UNDECIDED;
    case GW_MATCH_COUNT:
        break;
    }
    return THROTTLE_UNDECIDED;
}

/* Some line is as it should be. */
static enum throttle_met match_header(struct attempt *a, const struct throttle_condition *c)
{
    const struct enforce_header *h =
        a->request->headers != NULL ? &a->request->headers[c->header] : NULL;
    enum throttle_met met = THROTTLE_NOT_MET;

    if (h == NULL || h->count == 0)
        return THROTTLE_NOT_MET;
    if (h->count > 1 + ENFORCE_MORE_LINES)
        return THROTTLE_UNDECIDED;
    for (unsigned i = 0; i < h->count && met == THROTTLE_NOT_MET; i++) {
        struct slice line = i == 0 ? h->value : h->more[i - 1];

        if (i > 0 && line.p == NULL) /* HAProxy is of another generation and does not send them */
            return THROTTLE_UNDECIDED;
        met = match_text(a, c, slice_trim(line));
    }
    return met;
}

static enum throttle_met match_query(struct attempt *a, const struct throttle_condition *c)
{
    struct slice value;
    bool fits;

    if (!throttle_query(a->request->query, c->condition->name, a->w->throttle.value,
                        sizeof(a->w->throttle.value), &value, &fits))
        return THROTTLE_NOT_MET;
    return fits ? match_text(a, c, value) : THROTTLE_UNDECIDED;
}

static enum throttle_met match_claim(struct attempt *a, const struct throttle_condition *c)
{
    struct slice rest = a->out->application.claims, text;
    enum throttle_met met = THROTTLE_NOT_MET;

    while (met == THROTTLE_NOT_MET && grant_next_scope(&rest, &text))
        if (text.n > 0 && (unsigned char)text.p[0] == c->claim)
            met = match_text(a, c, slice_from(text, 1));
    return met;
}

static enum throttle_met match_one(struct attempt *a, const struct throttle_condition *c)
{
    enum throttle_met met = THROTTLE_UNDECIDED;

    switch (c->condition->kind) {
    case GW_CONDITION_ADDRESS:
        met = met_if(a->request->has_src && gw_address_in(&a->request->src, &c->range));
        break;
    case GW_CONDITION_HEADER:
        met = match_header(a, c);
        break;
    case GW_CONDITION_QUERY:
        met = match_query(a, c);
        break;
    case GW_CONDITION_CLAIM:
        met = match_claim(a, c);
        break;
    case GW_CONDITION_COUNT:
        break;
    }
    if (met == THROTTLE_UNDECIDED || !c->condition->invert)
        return met;
    return met == THROTTLE_MET ? THROTTLE_NOT_MET : THROTTLE_MET;
}

enum throttle_met throttle_match(struct attempt *a, const struct throttle_conditions *conditions)
{
    for (size_t i = 0; i < conditions->n; i++) {
        enum throttle_met met = match_one(a, &conditions->list[i]);

        if (met != THROTTLE_MET)
            return met;
    }
    return THROTTLE_MET;
}
