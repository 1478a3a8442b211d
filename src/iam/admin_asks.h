// iam/admin_asks.h: by which of IAM's actions, and on whom, each operation of `millrace admin` is allowed.
// What one does that AWS has several operations for asks for all of theirs. source: AWS Service Authorization
// Reference, AWS Identity and Access Management; docs/identity.md, "Actions"
#pragma once

#include "iam/admin_operations.h"

namespace millrace::iam {

AdminAsks asks_to_add_user(const AdminWish& wish);
AdminAsks asks_to_remove_user(const AdminWish& wish);
AdminAsks asks_to_list_users(const AdminWish& wish);
AdminAsks asks_to_create_key(const AdminWish& wish);
// Without a user, of all whose keys the caller may list: one of them.
AdminAsks asks_to_list_keys(const AdminWish& wish);
AdminAsks asks_to_switch_key(const AdminWish& wish);
AdminAsks asks_to_delete_key(const AdminWish& wish);
AdminAsks asks_to_put_policy(const AdminWish& wish);
AdminAsks asks_to_get_policy(const AdminWish& wish);
AdminAsks asks_to_list_policies(const AdminWish& wish);
AdminAsks asks_to_delete_policy(const AdminWish& wish);
AdminAsks asks_to_attach_policy(const AdminWish& wish);
AdminAsks asks_to_detach_policy(const AdminWish& wish);
AdminAsks asks_to_put_inline_policy(const AdminWish& wish);
AdminAsks asks_to_delete_inline_policy(const AdminWish& wish);
AdminAsks asks_to_create_role(const AdminWish& wish);
AdminAsks asks_to_change_role(const AdminWish& wish);
AdminAsks asks_to_remove_role(const AdminWish& wish);
AdminAsks asks_to_get_role(const AdminWish& wish);
AdminAsks asks_to_list_roles(const AdminWish& wish);
AdminAsks asks_to_put_quota(const AdminWish& wish);
AdminAsks asks_to_remove_quota(const AdminWish& wish);
AdminAsks asks_to_list_quotas(const AdminWish& wish);

}  // namespace millrace::iam
