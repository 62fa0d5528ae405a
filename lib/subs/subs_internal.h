/* The inside of a store. For the files of this folder only. */
#pragma once

#include "subs/subs.h"

#include <stdatomic.h>

/* A place in 8 bytes; a column beyond 65535 is cut. */
struct subs_where {
    uint32_t line;
    uint16_t col, file;
};

/* Applications and policies are made when they are first named, and defined when they are added. */
struct subs_app_record {
    struct subs_application application;
    uint32_t number;
    bool defined;
};

struct subs_policy_record {
    struct subs_policy policy;
    uint16_t number;
    bool defined;
};

struct subs_key_record {
    struct slice consumer_key;
    uint32_t application;
    uint16_t manager;
    bool sandbox;
    struct subs_where where;
};

struct subs_record {
    uint32_t application, api;
    uint16_t policy;
    uint16_t state;
    struct subs_where where;
};

_Static_assert(sizeof(struct subs_record) == 20, "a subscription takes 20 bytes");

struct subs_api_record {
    struct subs_api api;
    bool defined;
};

/* What can be looked up, and the type of its key. */
enum subs_kind {
    KIND_APPLICATION,         /* struct slice: the UUID */
    KIND_ID,                  /* int64_t: the number of an application */
    KIND_MANAGER,             /* struct slice: a key manager's name */
    KIND_KEY,                 /* struct subs_key_of */
    KIND_API,                 /* struct slice: the UUID */
    KIND_SUBSCRIPTION,        /* struct subs_pair */
    KIND_APPLICATION_POLICY,  /* struct slice: the name */
    KIND_SUBSCRIPTION_POLICY, /* struct slice: the name */
    KIND_COUNT
};

struct subs_key_of {
    struct slice consumer_key;
    uint32_t manager;
};

struct subs_pair {
    uint32_t application, api;
};

/* An index by hash: open addressing, linear probing, at most half full. */
struct subs_table {
    uint32_t *slots; /* 1 + the number of a record; 0: empty */
    size_t n_slots;  /* 0, or a power of two */
    size_t count;
};

/* An array of records that grows. */
struct subs_array {
    void *items;
    size_t n, room, size;
};

struct subs {
    atomic_uint references;
    struct hash_key hash_key;
    struct arena *arena; /* texts, applications, policies */
    struct subs_table tables[KIND_COUNT];
    struct subs_array applications;  /* struct subs_app_record * */
    struct subs_array defined;       /* the same, those that were added, in that order */
    struct subs_array managers;      /* struct slice */
    struct subs_array keys;          /* struct subs_key_record */
    struct subs_array apis;          /* struct subs_api_record * */
    struct subs_array subscriptions; /* struct subs_record */
    struct subs_array policies[2];   /* struct subs_policy_record *; [1]: of applications */
    struct subs_array files;         /* struct source * */
};

#define SUBS_AT(array, type, i) (((type *)(array).items)[i])

enum { SUBS_NONE = UINT32_MAX };

/* The record with this key, or SUBS_NONE. */
uint32_t subs_table_find(const struct subs *s, enum subs_kind kind, const void *key);

/* Makes room for one more; then adds a record, whose key is not there yet. */
int subs_table_reserve(struct subs *s, enum subs_kind kind);
void subs_table_add(struct subs *s, enum subs_kind kind, uint32_t record);

struct place subs_place(const struct subs *s, struct subs_where where);

/* Makes room for so many items, not fewer than there are, and more than none. */
int subs_array_resize(struct subs_array *a, size_t room);

/* Frees it whole, whatever refers to it. */
void subs_destroy(struct subs *s);
