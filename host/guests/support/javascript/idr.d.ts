// Types of what every rule uses, for TypeScript and for editors. Written by `idr
// rule build`; changes are lost.

import type { Lookup, Proposal, RuleError, Value } from 'idr:rules/types@0.1.0';

export function declined(why: string): RuleError;
export function invalid(why: string): RuleError;
export function failed(why: string): RuleError;
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
