// What the traffic's clock, the drain and /v1/connections know of a client's connection, whatever it speaks.

export type ConnectionState = 'idle' | 'reading' | 'active' | 'tunnel' | 'closing';

export type Connection = {
  /** `192.0.2.1:1234` or `[2001:db8::1]:1234`: the client's, as the PROXY protocol says it where that is spoken. */
  readonly address: string;
  readonly protocol: 'http/1.1' | 'h2' | 'tcp';
  readonly since: Date;
  readonly state: ConnectionState;
  readonly requests: number;
  /** Octets that wait for the client to take them. */
  readonly unsent: number;
  readonly tls: { readonly version: string | null; readonly cipher: string } | undefined;
  /** Milliseconds on the monotonic clock; looked at every 100 ms. */
  readonly deadline: number;
  /** The time is up. */
  onDeadline(): void;
  /** The Pod is going, but this connection may still be used; whoever has nothing to say to its client leaves this out. */
  leave?(): void;
  /** The sidecar stops: goes at once when idle, else after what is in flight. */
  drain(): void;
};
