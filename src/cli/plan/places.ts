// Which clusters a plan looks at, and how a person's kubectl reaches each: from a kubeconfig, or from the configuration file.
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { readContexts } from '../../adapters/kubernetes/kube-config.ts';
import { loadFileConfig } from '../../config/config.ts';
import type { ClusterConfig } from '../../config/file-schema.ts';
import { quoted } from '../../domain/kubernetes/shell.ts';
import { AppError } from '../../errors.ts';
import type { Terminal } from '../terminal.ts';

export interface Place {
  config: ClusterConfig;
  /** `kubectl` with the flags that lead to this cluster. */
  kubectl: string;
}

export interface Asked {
  kubeconfig?: string | undefined;
  context?: string | undefined;
  /** What the target names before its namespace: a context, or a cluster of the configuration. */
  prefix?: string | undefined;
  /** Every context that there is. */
  all: boolean;
}

/** Throws AppError `bad-config` where there is no cluster to look at. */
export function placesFor(asked: Asked, env: Terminal['env']): Place[] {
  const { TOURNIQUET_CONFIG: path = 'tourniquet.yaml' } = env;
  const named = asked.kubeconfig !== undefined || asked.context !== undefined || asked.all;
  if (named || !existsSync(path)) return fromKubeconfig(asked, env);
  const usual = usualFiles(env);
  return loadFileConfig(env).clusters.map((config) => ({ config, kubectl: kubectlOf(config, usual) }));
}

function usualFiles({ KUBECONFIG, HOME = '' }: Terminal['env']): string[] {
  const listed = (KUBECONFIG ?? '').split(delimiter).filter((path) => path !== '');
  return listed.length > 0 ? listed : [join(HOME, '.kube', 'config')];
}

function fromKubeconfig({ kubeconfig, context, prefix, all }: Asked, env: Terminal['env']): Place[] {
  const paths = kubeconfig === undefined ? usualFiles(env) : [kubeconfig];
  const files = paths.flatMap((path) => {
    const names = readContexts(path);
    return names === undefined ? [] : [{ path, ...names }];
  });
  if (files.length === 0)
    throw new AppError(
      'bad-config',
      `There is no kubeconfig at ${paths.join(' or ')}. Name one with --kubeconfig or KUBECONFIG; kubectl uses the same.`,
    );
  const known = new Map<string, string>();
  for (const file of files)
    for (const name of file.contexts) if (!known.has(name)) known.set(name, file.path);
  const current = context ?? prefix ?? files.find((file) => file.current !== '')?.current ?? '';
  const wanted = all ? [...known.keys()] : [current];
  return wanted.map((name) => {
    const path = known.get(name);
    if (path === undefined)
      throw new AppError(
        'bad-config',
        `There is no context ${name || '(none is the current one)'} in ${paths.join(', ')}. There are: ${[...known.keys()].join(', ') || 'none'}.`,
      );
    const config = { name, kubeconfig: path, context: name, searchNamespaces: [], timeout: 10_000 };
    return { config, kubectl: kubectlOf(config, kubeconfig === undefined ? paths : []) };
  });
}

/** Only what a person must type: kubectl finds the usual files and the current context by itself. */
function kubectlOf({ kubeconfig, context }: ClusterConfig, usual: readonly string[]): string {
  const file =
    kubeconfig === undefined || usual.includes(kubeconfig) ? [] : ['--kubeconfig', word(kubeconfig)];
  return ['kubectl', ...file, ...(context === undefined ? [] : ['--context', word(context)])].join(' ');
}

const word = (text: string): string => (/^[\w@%+=:,./-]+$/.test(text) ? text : quoted(text));

/** Commands are written for a context that is named as the cluster is here. */
export function typedFor(line: string, places: readonly Place[]): string {
  return places.reduce(
    (text, { config, kubectl }) => text.replaceAll(`kubectl --context ${config.name} `, `${kubectl} `),
    line,
  );
}
