// Runs the product's main file as a child that ends with its parent, however that ended: the pipe to it then closes.
import { enableCompileCache } from 'node:module';

// Worlds start many of these, and most of a start is compiling.
enableCompileCache();
process.stdin.once('close', () => process.kill(process.pid, 'SIGKILL')).resume();

await import('../src/main.ts');
