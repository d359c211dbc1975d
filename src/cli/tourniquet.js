#!/usr/bin/env node
// The `tourniquet` command: checks Node first, because everything after it is TypeScript.
import '../node-version.js';

await import('./main.ts');
