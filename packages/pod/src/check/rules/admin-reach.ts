// httpGet probes come to the Pod's IP, where a listener on loopback does not answer.

import { portNumber, probeKinds, probeOf } from '../../manifest/containers.ts';
import { wordPath } from '../../manifest/ports.ts';
import { defineRule } from '../rule.ts';

export const adminReach = defineRule({
  name: 'admin-reach',
  severity: 'warning',
  *check({ containers, parameters }) {
    for (const entry of containers) {
      const given = parameters.get(entry.name);
      const admin = given?.values.adminAddress;
      if (!admin || !/^(?:127\.|localhost$|::1$)/.test(admin.host)) continue;
      const probed = probeKinds.some((kind) => {
        const http = probeOf(entry.container, kind)?.httpGet;
        return http && !http.host && portNumber(entry.container, http.port) === admin.port;
      });
      if (probed)
        yield {
          path: wordPath(given, 'adminAddress') ?? entry.path,
          message: `probes come to the IP address of the Pod, where ${admin.host}:${admin.port} does not answer`,
        };
    }
  },
});
