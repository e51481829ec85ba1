// The contract idr:rules@0.1.2 as TypeScript sees it. Written by `idr rule build`;
// changes are lost. What a function does is explained in `wit/rules.wit`.

declare module 'idr:rules/types@0.1.2' {
  /** Milliseconds since 1970-01-01T00:00:00Z, within ±(2^53 − 1). */
  export type Instant = number;
  export interface Date { year: number; month: number; day: number }
  export interface TimeOfDay { hour: number; minute: number; second: number }
  export type Value =
    | { tag: 'text'; val: string }
    | { tag: 'integer'; val: number }
    | { tag: 'decimal'; val: string }
    | { tag: 'boolean'; val: boolean }
    | { tag: 'date'; val: Date }
    | { tag: 'instant'; val: Instant }
    | { tag: 'many'; val: string[] };
  export type AccountStatus = 'enabled' | 'disabled' | 'locked' | 'vanished';
  export interface Lookup { attribute: string; value: string }
  export interface Proposal { attribute: string; value: Value | null }
  export interface RuleError { tag: 'declined' | 'invalid' | 'failed'; val: string }
}

declare module 'idr:rules/subject@0.1.2' {
  import type { AccountStatus, Value } from 'idr:rules/types@0.1.2';
  export interface Account { handle: number; nativeIdentity: string; status: AccountStatus }
  export function attribute(name: string): Value | null;
  export function attributes(names: string[]): (Value | null)[];
  export function managerAttribute(name: string): Value | null;
  export function accounts(application: string): Account[];
  export function firstAccount(application: string): number | null;
  export function accountAttribute(handle: number, name: string): Value | null;
  export function accountAttributes(handle: number, names: string[]): (Value | null)[];
}

declare module 'idr:rules/account@0.1.2' {
  import type { AccountStatus, Value } from 'idr:rules/types@0.1.2';
  export function application(): string;
  export function nativeIdentity(): string;
  export function status(): AccountStatus;
  export function attribute(name: string): Value | null;
}

declare module 'idr:rules/tiers@0.1.2' {
  import type { AccountStatus, Value } from 'idr:rules/types@0.1.2';
  export interface Account { handle: number; nativeIdentity: string; status: AccountStatus }
  export function accounts(application: string): Account[];
  export function attribute(handle: number, name: string): Value | null;
}

declare module 'idr:rules/entitlements@0.1.2' {
  export function holds(application: string, attribute: string, value: string): boolean;
  export function held(application: string, attribute: string): string[];
}

declare module 'idr:rules/roles@0.1.2' {
  export function hasAssigned(role: string): boolean;
  export function hasDetected(role: string): boolean;
}

declare module 'idr:rules/access@0.1.2' {
  export function isDesired(): boolean;
  export function hasRole(role: string): boolean;
  export function roles(): string[];
  export function holds(application: string, attribute: string, value: string): boolean;
  export function held(application: string, attribute: string): string[];
}

declare module 'idr:rules/baseline@0.1.2' {
  import type { Value } from 'idr:rules/types@0.1.2';
  export function exists(): boolean;
  export function attribute(name: string): Value | null;
  export function hadAssigned(role: string): boolean;
}

declare module 'idr:rules/time@0.1.2' {
  import type { Date, Instant, TimeOfDay } from 'idr:rules/types@0.1.2';
  export function reached(moment: Instant): boolean;
  export function dateReached(day: Date, at: TimeOfDay, zone: string): boolean;
  export function dayOver(day: Date, zone: string): boolean;
  export function instantAt(day: Date, at: TimeOfDay, zone: string): Instant;
  export function plusDays(day: Date, days: number): Date;
  export function today(zone: string): Date;
}

declare module 'idr:rules/parameters@0.1.2' {
  import type { Value } from 'idr:rules/types@0.1.2';
  export function parameter(name: string): Value | null;
}

declare module 'idr:rules/log@0.1.2' {
  export function info(message: string): void;
  export function warn(message: string): void;
}
