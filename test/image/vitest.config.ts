/** The tests of the image, apart from `npm test`: they need root, buildah and the image that the Dockerfile starts from. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/image/**/*.test.ts'],
    globalSetup: ['test/image/build-image.ts'],
    testTimeout: 60_000,
  },
});
