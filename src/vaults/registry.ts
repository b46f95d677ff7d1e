import { awsSecretsManagerVaultType } from './aws-secrets-manager.ts';
import { azureKeyVaultType } from './azure-key-vault.ts';
import type { VaultType } from './contract.ts';
import { directoryVaultType } from './directory.ts';
import { fileVaultType } from './file.ts';
import { gcpSecretManagerVaultType } from './gcp-secret-manager.ts';
import { hashicorpVaultType } from './hashicorp-vault.ts';
import { kubernetesVaultType } from './kubernetes.ts';
import { memoryVaultType } from './memory.ts';
import { moduleVaultType } from './module.ts';

const types: readonly VaultType[] = [
  awsSecretsManagerVaultType,
  azureKeyVaultType,
  directoryVaultType,
  fileVaultType,
  gcpSecretManagerVaultType,
  hashicorpVaultType,
  kubernetesVaultType,
  memoryVaultType,
  moduleVaultType,
];

/** All types of vault, by the name that the configuration knows them by. A new vault adds its line above. */
export const vaultTypes: ReadonlyMap<string, VaultType> = new Map(types.map((type) => [type.type, type]));
