# What rekeyd may do in HashiCorp Vault or OpenBao: deliver to the entries below data8/ of the KV mount 'secret' (version 2).
#   vault policy write rekeyd hashicorp-vault.hcl
# It can neither delete, destroy nor list anything.

path "secret/data/data8/*" {
  capabilities = ["create", "read", "update"]
}

# The mark: metadata is patched, never replaced, so that what others keep there stays.
path "secret/metadata/data8/*" {
  capabilities = ["create", "read", "patch"]
}

# What follows is in the policy 'default' too: needed where a role leaves that one out.
path "auth/token/lookup-self" {
  capabilities = ["read"]
}
path "auth/token/renew-self" {
  capabilities = ["update"]
}
path "auth/token/revoke-self" {
  capabilities = ["update"]
}
path "sys/internal/ui/mounts/*" {
  capabilities = ["read"]
}
path "sys/capabilities-self" {
  capabilities = ["update"]
}
