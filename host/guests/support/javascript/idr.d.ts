// Types of what every rule uses, for TypeScript and for editors. Written by `idr
// rule build`; changes are lost.

import type { Account } from 'idr:rules/subject@0.1.2';
import type { AccountStatus, Lookup, Proposal, RuleError, Value } from 'idr:rules/types@0.1.2';

export function declined(why: string): RuleError;
export function invalid(why: string): RuleError;
export function failed(why: string): RuleError;
/** @deprecated What it did is done for every rule when it is built. */
export function guard<Rule extends object>(rule: Rule): Rule;
export function valueAs<Type extends Value['tag']>(
  type: Type,
  value: Value | null,
): Extract<Value, { tag: Type }>['val'] | undefined;

// What a rule of each kind exports.

export interface AccountCorrelation { correlate(): Lookup | null }
export type Creation =
  | { tag: 'create'; val: { name: string | null; identityType: string | null } }
  | { tag: 'skip'; val: string };
export interface IdentityCreation { create(): Creation }
export interface BeforeRefresh { propose(): Proposal[] }
export type Promotion = { tag: 'set'; val: Value } | { tag: 'clear' } | { tag: 'next' };
export interface AttributePromotion { promote(attribute: string): Promotion }
export interface ManagerCorrelation { correlate(manager: Value): Lookup | null }
export interface LifecycleState { state(): string }
export type Eligibility =
  | { tag: 'yes' }
  | { tag: 'no' }
  | { tag: 'cannot-tell'; val: string };
export interface RoleAssignment { assign(candidates: string[]): Eligibility[] }
export interface IdentityTrigger { fires(trigger: string): boolean }
export interface ValueChange {
  propose(attribute: string, oldValue: Value | null, newValue: Value | null): Proposal[];
}
export interface AfterRefresh { propose(): Proposal[] }
export interface Composed {
  nativeIdentity: string;
  status: AccountStatus;
  attributes: { name: string; value: Value }[];
  parts: { application: string; nativeIdentity: string }[];
}
export interface LogicalAccount { compose(application: string): Composed[] }
export type Grant =
  | { tag: 'role'; val: string }
  | { tag: 'entitlement'; val: { application: string; attribute: string; value: string } };
export interface Violation { description: string; grants: Grant[] }
export interface Policy { judge(policy: string): Violation[] }
export interface Need {
  application: string;
  role: string | null;
  candidates: Account[];
  mayCreate: boolean;
}
export type Selection =
  | { tag: 'existing'; val: string }
  | { tag: 'new-account' }
  | { tag: 'ask' };
export interface AccountSelection { select(need: Need): Selection }
export interface Target {
  application: string;
  attribute: string;
  nativeIdentity: string | null;
}
export type Mapping = { tag: 'set'; val: Value } | { tag: 'clear' } | { tag: 'leave' };
export interface TargetMapping { mapTarget(target: Target): Mapping }
