/* project: deployment_environments.yaml -> the virtual hosts of the project's APIs. */
#include "generator/project_internal.h"

#include "gateway/path.h"

/* The environment of what is deployed nowhere in particular. */
static const char default_environment[] = "Default";

/* The host that cc.yaml gives an environment; p == NULL when it does not know it. */
static struct slice mapped_vhost(const struct config *config, struct slice environment)
{
    for (size_t i = 0; i < config->adapter.n_vhost_mapping; i++) {
        const struct config_vhost_mapping *m = &config->adapter.vhost_mapping[i];

        if (slice_eq(m->environment, environment))
            return m->vhost;
    }
    /* Default exists even when it is not mapped (the contract's rule) */
    return slice_is(environment, default_environment) ? SLICE("localhost") : SLICE_NONE;
}

/* A DNS name, "*.name" or "*". */
static bool vhost_is_usable(struct slice vhost)
{
    char room[GW_HOST_MAX];
    struct slice normal;

    if (slice_is(vhost, "*"))
        return true;
    if (slice_starts(vhost, SLICE("*.")))
        vhost = slice_from(vhost, 2);
    /* the normal form has no port: what changes in it is no bare name */
    return gw_host_normalize(vhost, room, &normal) && slice_eq_nocase(vhost, normal);
}

static void add_vhost(struct project *p, struct slice vhost, struct place place,
                      struct project_list *vhosts)
{
    struct slice *slot;

    if (!vhost_is_usable(vhost)) {
        diag_help(diag_error(p->build->diag, CC2108, place,
                             "\"%" PRIslice "\" is not a virtual host", SLICE_ARG(vhost)),
                  "write a DNS name without port, *.name for all names below it, or *");
        return;
    }
    vhost = project_lower(p->build, vhost);
    for (size_t i = 0; i < vhosts->n; i++) {
        if (slice_eq(((struct slice *)vhosts->items)[i], vhost))
            return;
    }
    slot = project_list_add(p->build, vhosts, sizeof(*slot));
    if (slot != NULL)
        *slot = vhost;
}

static void unknown_environment(struct project *p, struct slice environment, struct place place)
{
    const struct config *config = p->build->config;
    struct diag_item *item;
    struct buf names;
    bool has_default = false;

    item = diag_error(p->build->diag, CC1203, place,
                      "adapter.vhostMapping of cc.yaml has no environment \"%" PRIslice "\"",
                      SLICE_ARG(environment));
    buf_init(&names, 1000); /* more names than that help nobody */
    for (size_t i = 0; i < config->adapter.n_vhost_mapping; i++) {
        struct slice name = config->adapter.vhost_mapping[i].environment;

        has_default = has_default || slice_is(name, default_environment);
        buf_printf(&names, "%s%" PRIslice, i > 0 ? ", " : "", SLICE_ARG(name));
    }
    if (!has_default)
        buf_printf(&names, "%s%s", names.n > 0 ? ", " : "", default_environment);
    diag_help(item, "the environments are: %s", names.p ? names.p : default_environment);
    buf_free(&names);
}

static void read_entry(struct project *p, const struct doc_node *entry, struct project_list *vhosts)
{
    const struct doc *doc = p->deployments;
    const struct doc_node *environment_node = doc_get_nocase(entry, "deploymentEnvironment");
    const struct doc_node *vhost_node = doc_get_nocase(entry, "deploymentVhost");
    struct slice environment = SLICE_NONE, vhost;

    if (!doc_is_map(doc, entry, "data[]", p->build->diag))
        return;
    if (environment_node == NULL) {
        diag_help(diag_error(p->build->diag, CC1202, doc_place(doc, entry),
                             "deploymentEnvironment is missing"),
                  "write deploymentEnvironment: Default");
        return;
    }
    if (!project_text(p, doc, environment_node, "deploymentEnvironment", &environment))
        return;
    vhost = mapped_vhost(p->build->config, environment);
    if (vhost.p == NULL) {
        unknown_environment(p, environment, doc_place(doc, environment_node));
        return;
    }
    if (vhost_node == NULL || vhost_node->type == DOC_NULL)
        add_vhost(p, vhost, doc_place(doc, environment_node), vhosts);
    else if (project_text(p, doc, vhost_node, "deploymentVhost", &vhost))
        add_vhost(p, vhost, doc_place(doc, vhost_node), vhosts);
}

void project_read_vhosts(struct project *p, struct project_list *vhosts)
{
    const struct doc_node *data;

    if (p->broken_deployments)
        return; /* told by its reader */
    if (p->deployments == NULL) {
        add_vhost(p, mapped_vhost(p->build->config, slice_of(default_environment)), p->api.place,
                  vhosts);
        return;
    }
    if (!doc_is_map(p->deployments, p->deployments->root, "deployment_environments.yaml",
                    p->build->diag))
        return;
    data = doc_get_nocase(p->deployments->root, "data");
    if (data != NULL && data->type != DOC_NULL &&
        !doc_is_list(p->deployments, data, "data", p->build->diag))
        return;
    if (data == NULL || data->n == 0) {
        diag_help(diag_error(p->build->diag, CC1202, doc_place(p->deployments, data),
                             "data lists no environment: the API would be served nowhere"),
                  "list one (- deploymentEnvironment: Default) or remove the file");
        return;
    }
    for (size_t i = 0; i < data->n && p->build->rc == CC_OK; i++)
        read_entry(p, data->entries[i].value, vhosts);
}
