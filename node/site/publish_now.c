#include "node/site/publish_now.h"

enum err publish_now(struct author *a, struct repository *r, struct error *e)
{
    struct publication_list list;
    enum err                code = author_publications(a, &list, e);

    if (code)
        return code;
    code = repository_publish(r, list.items, list.count, a->now, NULL, e);
    author_publications_free(&list);
    return code;
}
