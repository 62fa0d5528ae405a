/* explain: the tokens that are revoked, by the operator's file and by what the agent saved, and the
 * deny rules that were added by command. */
#include "enforce/deny_file.h"
#include "generator/explain.h"
#include "revoke/revoke_journal.h"
#include "revoke/revoke_read.h"

enum { ENTRIES = 1000000 };

static int read_saved(struct explainer *e, const char *directory)
{
    struct revoke_journal_report report;
    int rc = revoke_journal_read(directory, e->revoked, e->clock.now_wall_s, &report);

    if (rc == CC_OK || rc == CC_ENOENT) /* none was ever saved */
        return CC_OK;
    diag_error(e->view->work.diag, CC1001, PLACE_NONE, "%s/revoked.journal: %s", directory,
               cc_strerror(rc));
    return CC_EINVAL;
}

int explainer_load_revoked(struct explainer *e, const char *file, const char *directory)
{
    int rc;

    if (file == NULL && directory == NULL)
        return CC_OK;
    rc = revoked_new(&e->revoked, ENTRIES);
    if (rc == CC_OK && file != NULL)
        rc = revoke_read(file, e->revoked, e->clock.now_wall_s, e->view->work.arena,
                         e->view->work.diag);
    if (rc == CC_OK && directory != NULL)
        rc = read_saved(e, directory);
    if (rc != CC_OK)
        return rc;
    revoked_set_ready(e->revoked, true);
    enforce_worker_set_revoked(e->worker, e->revoked);
    return CC_OK;
}

int explainer_set_denied(struct explainer *e, struct deny_list *list)
{
    struct enforce_live *live = NULL;
    int rc = enforce_live_with_denied(&live, e->live, list);

    if (rc != CC_OK)
        return rc;
    enforce_live_unref(&e->live);
    e->live = live;
    return CC_OK;
}

int explainer_load_denied(struct explainer *e, const char *directory)
{
    struct deny_list *list = NULL;
    int rc = deny_file_read(&list, directory);

    if (rc == CC_OK)
        return list != NULL ? explainer_set_denied(e, list) : CC_OK;
    if (rc == CC_ENOMEM)
        return rc;
    diag_error(e->view->work.diag, CC1001, PLACE_NONE, "%s/" DENY_FILE_NAME ": %s", directory,
               cc_strerror(rc));
    return CC_EINVAL;
}
