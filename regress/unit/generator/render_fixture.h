/* A small model and settings to render, and what the render tests share. */
#pragma once

#include "generator/render.h"

struct fixture {
    struct arena *arena;
    struct diag *diag;
    struct gw_model model;
    struct config config;
    struct render_output out;
};

#define FIXTURE_DIRECTORY "/gw/generations/7"

/* One API's worth: two clusters, two headers, all listeners but the entry socket. */
static inline void fixture_init(struct fixture *f)
{
    static const struct gw_endpoint pets[] = {
        {.host = SLICE_INIT("127.0.0.1"), .port = 8080},
    };
    static const struct gw_endpoint orders[] = {
        {.host = SLICE_INIT("orders.example.com"), .port = 443, .tls = true},
        {.host = SLICE_INIT("localhost"), .port = 8443, .tls = true},
    };
    static const struct gw_endpoint stock[] = {
        {.host = SLICE_INIT("2001:db8::1"), .port = 8443, .tls = true},
    };
    static const struct slice statuses[] = {SLICE_INIT("429"), SLICE_INIT("502"),
                                            SLICE_INIT("504")};
    static const struct gw_cluster clusters[] = {
        {.name = SLICE_INIT("cc_b_0123456789ab"), .endpoints = pets, .n_endpoints = 1},
        {.name = SLICE_INIT("cc_b_ba9876543210"), .endpoints = orders, .n_endpoints = 2},
        {.name = SLICE_INIT("cc_b_bbbbbbbbbbbb"), .endpoints = stock, .n_endpoints = 1},
        {.name = SLICE_INIT("cc_b_cccccccccccc"),
         .endpoints = orders,
         .n_endpoints = 2,
         .options = {.failover = true,
                     .http2 = true,
                     .timeout_ms = 1500,
                     .retry_count = 2,
                     .max_requests = 50,
                     .max_connections = 10,
                     .max_pending = 5,
                     .retry_statuses = statuses,
                     .n_retry_statuses = 3,
                     .health_path = SLICE_INIT("/health?a=1"),
                     .health_statuses = &statuses[1],
                     .n_health_statuses = 2}},
    };
    static const struct gw_cors cors[] = {{.any_origin = true}};
    static const struct slice headers[] = {SLICE_INIT("authorization"), SLICE_INIT("x-token")};

    memset(f, 0, sizeof(*f));
    f->arena = arena_new(64 << 20);
    f->diag = diag_new();
    f->model.generation = 9;
    f->model.haproxy_generation = 7;
    f->model.system_host = SLICE("localhost");
    f->model.headers = headers;
    f->model.n_headers = 2;
    f->model.clusters = clusters;
    f->model.n_clusters = 4;
    f->model.cors = cors;
    f->model.n_cors = 1;
    f->config.router.listener_host = SLICE("0.0.0.0");
    f->config.router.listener_port = 9090;
    f->config.router.secured_listener_host = SLICE("::");
    f->config.router.secured_listener_port = 9095;
    f->config.router.keystore.cert_path = SLICE("/etc/gw/tls.pem");
    f->config.router.keystore.key_path = SLICE("/etc/gw/tls.key");
    f->config.router.cluster_timeout_s = 20;
    f->config.router.downstream_tls.min_version = SLICE("TLS1_2");
    f->config.router.downstream_tls.max_version = SLICE("TLS1_3");
    f->config.router.upstream.tls.min_version = SLICE("TLS1_2");
    f->config.router.upstream.tls.max_version = SLICE("TLS1_3");
    f->config.security.mutual_ssl.enabled = true;
    f->config.security.mutual_ssl.header = SLICE("x-wso2-client-certificate");
    f->config.router.stream_idle_timeout_s = 240;
    f->config.router.idle_timeout_s = 300;
    f->config.router.buffer_bytes = 16384;
    f->config.router.upstream.dns_refresh_ms = 5000;
    f->config.router.upstream.route_timeout_s = 60;
    f->config.router.upstream.route_idle_timeout_s = 300;
    f->config.router.upstream.verify_host_name = true;
    f->config.router.upstream.health_interval_s = 10;
    f->config.router.upstream.health_timeout_s = 1;
    f->config.router.upstream.unhealthy_threshold = 2;
    f->config.router.upstream.healthy_threshold = 2;
    f->config.agent.socket = SLICE("/run/cc-gateway/spoa.sock");
    f->config.agent.processing_timeout_ms = 200;
}

static inline int fixture_render(struct fixture *f)
{
    return render_haproxy(&f->out, &f->model, &f->config, FIXTURE_DIRECTORY, NULL, f->arena,
                          f->diag);
}

static inline void fixture_free(struct fixture *f)
{
    diag_free(&f->diag);
    arena_free(&f->arena);
}

/* The rendered file of that name; NULL when there is none. */
static inline const struct render_file *fixture_file(const struct fixture *f, const char *name)
{
    for (size_t i = 0; i < f->out.n_files; i++) {
        if (slice_is(f->out.files[i].name, name))
            return &f->out.files[i];
    }
    return NULL;
}

static inline bool fixture_has(const struct fixture *f, const char *file, const char *text)
{
    return slice_contains(fixture_file(f, file)->text, slice_of(text));
}
