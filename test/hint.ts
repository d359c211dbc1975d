// Says at the end what the everyday tests leave out.
export function teardown(): void {
  console.log(
    '\nNot run: npm run test:slow (faults, tools; minutes) and npm run test:cluster (a real control plane; needs Go, builds it once).',
  );
}
