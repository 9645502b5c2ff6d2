"""What stands in a cluster before its first user comes: namespaces, roles, priority classes, the API's own Service.

Called by ``ApiServer`` at its start, pure; imports only ``rbac`` names. Read in this order: ``roles`` (the user-facing
and the components' ClusterRoles), ``controller_roles``, ``endpoints`` (where the API's Service leads), ``objects``
(everything else, and the whole list).
"""
